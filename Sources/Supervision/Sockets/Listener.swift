import ControlProtocol
import Glibc
import GuestSpec
import Linux
import Systemd

/// One socket that is held for a guest. It outlives every run of the guest: the daemon's own descriptor is never closed before
/// the guest file is gone, whatever a guest does to the socket that both share.
final class Listener {
  let listen: Listen
  /// The section of the guest file that asks for it, as it is now.
  var group: SocketGroup
  /// Taken from the service manager, which goes on using it after us: never unlinked, never shut down.
  let isPassed: Bool
  /// The one that was bound or passed; by AF_UNIX it may change its role with the second.
  let first: HeldSocket
  /// At the same address: where clients wait apart from a guest on its way out.
  var second: HeldSocket?
  /// Before the two, where they share a port.
  var gate: ReuseportGate?
  /// Whether new clients come to the second.
  var leadsToSecond = false
  /// Whether the second is the one that the guest has, or will get.
  var guestHasSecond = false
  /// As the kernel writes it, with the port that it chose where 0 was asked for.
  let local: SocketAddress
  /// Whether the running guest keeps it open; nil while none runs or that is not known yet.
  var isAdopted: Bool?
  /// Whether the first was shut down, to take its queue or by a guest, and its place at the gate is not restored yet.
  var hasLostPlace = false
  /// How many a guest on its way out still had in the queue when nobody could be taken from there any more.
  var undrained = 0
  /// Whether what arrives on its connections is told to the guest's alarm.
  var hasAlarm = false
  private var source: EventSource?
  private var twinSource: EventSource?

  /// Takes over an open socket: one that `openListener` made, or one that the service manager passed.
  ///
  /// - Throws: `SystemError` when it is no socket.
  convenience init(
    _ descriptor: consuming OwnedFD, as listen: Listen, of group: SocketGroup, passed: Bool
  ) throws(SystemError) {
    try self.init(HeldSocket(descriptor), as: listen, of: group, passed: passed)
  }

  init(_ socket: HeldSocket, as listen: Listen, of group: SocketGroup, passed: Bool) throws(SystemError) {
    local = try insisting { () throws(SystemError) in try localAddress(of: socket.descriptor) }
    self.listen = listen
    self.group = group
    isPassed = passed
    first = socket
  }

  /// The one that the guest has, or will get.
  var socket: HeldSocket { guestHasSecond ? second ?? first : first }
  /// The other one.
  var twin: HeldSocket? { guestHasSecond ? first : second }
  /// Whether new clients do not come to the guest's.
  var isApart: Bool { leadsToSecond != guestHasSecond }
  var descriptor: OwnedFD { _read { yield socket.descriptor } }
  var inode: UInt64 { socket.inode }

  deinit { stopWatching() }

  /// The address as the guest file has it.
  var address: String { listen.address.description }

  /// What `LISTEN_FDNAMES` calls it.
  func name(in guest: String) -> String { group.name(in: guest) }

  /// Undoes what a guest may have done to the socket that it shared: a cleared O_NONBLOCK, a shutdown(2).
  ///
  /// - Throws: `SystemError` when it is no socket any more.
  func repair() throws(SystemError) -> ListenerHealth {
    let health = try repairListener(descriptor, backlog: group.backlog)
    // One for datagrams stays in its place whatever a guest does.
    if health == .repaired, listen.kind == .stream, !guestHasSecond { hasLostPlace = true }
    return health
  }

  /// Whether somebody took its path away, and nobody has come by it who still waits.
  var isUnreachable: Bool {
    guard !isPassed, case .path(let path) = listen.address else { return false }
    do throws(SystemError) {
      _ = try FileStatus(path, followingLinks: false)
      return false
    } catch {
      return error.errno == ENOENT && !isSomebodyWaiting
    }
  }

  /// Calls `knocked` while somebody connects or a datagram is there. No guest may hold the socket.
  ///
  /// - Throws: `SystemError` when epoll refuses.
  func watch(_ loop: EventLoop, knocked: @escaping () -> Void) throws(SystemError) {
    source = try loop.watch(descriptor, for: .readable) { [unowned self] events in
      // An answer to what a guest sent wakes nobody.
      if events != .error || (try? clearErrors(of: descriptor)) == nil { knocked() }
    }
    // Somebody may have come to the other one just when clients were led away from there.
    if let twin { twinSource = try loop.watch(twin.descriptor, for: .readable) { _ in knocked() } }
  }

  /// Lets whoever knocks wait for a second, and calls `over` then: without it the loop would turn without rest.
  ///
  /// - Throws: `SystemError` when there can be no timer.
  func rest(_ loop: EventLoop, over: @escaping () -> Void) throws(SystemError) {
    source = try loop.after(.seconds(1), accuracy: .milliseconds(100), handler: over)
  }

  func stopWatching() {
    source?.cancel()
    source = nil
    twinSource?.cancel()
    twinSource = nil
  }

  func status(in guest: String) -> SocketStatus {
    var status = SocketStatus(address: address, kind: listen.kind.inProtocol, name: name(in: guest))
    status.inode = inode
    status.passed = isPassed
    status.adopted = isAdopted
    return status
  }
}

extension Listen.Kind {
  var inKernel: Linux.SocketKind {
    switch self {
    case .stream: .stream
    case .datagram: .datagram
    case .sequentialPacket: .sequentialPacket
    }
  }

  fileprivate var inProtocol: SocketType {
    switch self {
    case .stream: .stream
    case .datagram: .datagram
    case .sequentialPacket: .sequentialPacket
    }
  }
}
