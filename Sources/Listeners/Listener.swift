import ControlProtocol
import Glibc
import GuestSpec
import Linux
import Systemd

/// One socket that is held for a guest. It outlives every run of the guest: the daemon's own descriptor is never closed before
/// the guest file is gone, whatever a guest does to the socket that both share.
package final class Listener {
  package let listen: Listen
  /// The section of the guest file that asks for it, as it is now.
  var group: SocketGroup
  /// Taken from the service manager, which goes on using it after us: never unlinked, never shut down.
  let isPassed: Bool
  /// The one that was bound or passed; by AF_UNIX it may change its role with the standby.
  let primary: HeldSocket
  /// At the same address: where clients wait apart from a guest on its way out.
  var standby: HeldSocket?
  /// Before the two, where they share a port.
  var steering: ReuseportSteering?
  /// Whether new clients come to the standby.
  var steersToStandby = false
  /// Whether the standby is the one that the guest has, or will get.
  var guestHasStandby = false
  /// As the kernel writes it, with the port that it chose where 0 was asked for.
  package let local: SocketAddress
  /// Whether the running guest keeps it open; nil while none runs or that is not known yet.
  package var isAdopted: Bool?
  /// Whether the first was shut down, to take its queue or by a guest, and its place at the steering is not restored yet.
  var hasLostPlace = false
  /// How many a guest on its way out still had in the queue when nobody could be taken from there any more.
  var undrained = 0
  /// Whether what arrives on its connections is told to the guest's alarm.
  var hasAlarm = false
  private var source: EventSource?
  private var standbySource: EventSource?

  /// Takes over an open socket: one that `openListener` made, or one that the service manager passed.
  ///
  /// - Throws: `SystemError` when it is no socket.
  convenience init(
    _ descriptor: consuming OwnedFD, as listen: Listen, of group: SocketGroup, passed: Bool
  ) throws(SystemError) {
    try self.init(HeldSocket(descriptor), as: listen, of: group, passed: passed)
  }

  package init(_ socket: HeldSocket, as listen: Listen, of group: SocketGroup, passed: Bool) throws(SystemError) {
    local = try insisting { () throws(SystemError) in try localAddress(of: socket.descriptor) }
    self.listen = listen
    self.group = group
    isPassed = passed
    primary = socket
  }

  /// The one that the guest has, or will get.
  var socket: HeldSocket { guestHasStandby ? standby ?? primary : primary }
  /// The other one.
  var other: HeldSocket? { guestHasStandby ? primary : standby }
  /// Whether new clients do not come to the guest's.
  var isDiverted: Bool { steersToStandby != guestHasStandby }
  package var descriptor: OwnedFD { _read { yield socket.descriptor } }
  package var inode: UInt64 { socket.inode }

  deinit { stopWatching() }

  /// The address as the guest file has it.
  package var address: String { listen.address.description }

  /// What `LISTEN_FDNAMES` calls it.
  package func name(in guest: String) -> String { group.name(in: guest) }

  /// Undoes what a guest may have done to the socket that it shared: a cleared O_NONBLOCK, a shutdown(2).
  ///
  /// - Throws: `SystemError` when it is no socket any more.
  func repair() throws(SystemError) -> ListenerHealth {
    let health = try repairListener(descriptor, backlog: group.backlog)
    // One for datagrams stays in its place whatever a guest does.
    if health == .repaired, listen.kind == .stream, !guestHasStandby { hasLostPlace = true }
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

  /// Calls `incoming` while somebody connects or a datagram is there. No guest may hold the socket.
  ///
  /// - Throws: `SystemError` when epoll refuses.
  package func watch(_ loop: EventLoop, incoming: @escaping () -> Void) throws(SystemError) {
    source = try loop.watch(descriptor, for: .readable) { [unowned self] events in
      // An answer to what a guest sent wakes nobody.
      if events != .error || (try? clearErrors(of: descriptor)) == nil { incoming() }
    }
    // Somebody may have come to the other one just when clients were led away from there.
    if let other { standbySource = try loop.watch(other.descriptor, for: .readable) { _ in incoming() } }
  }

  /// Lets whoever incoming wait for a standby, and calls `over` then: without it the loop would turn without rest.
  ///
  /// - Throws: `SystemError` when there can be no timer.
  package func rest(_ loop: EventLoop, over: @escaping () -> Void) throws(SystemError) {
    source = try loop.after(.seconds(1), accuracy: .milliseconds(100), handler: over)
  }

  package func stopWatching() {
    source?.cancel()
    source = nil
    standbySource?.cancel()
    standbySource = nil
  }

  package func status(in guest: String) -> SocketStatus {
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
