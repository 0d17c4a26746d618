import ControlProtocol
import Glibc
import GuestSpec
import Linux
import Systemd

/// One address of a guest, and the sockets that listen there.
///
/// It outlives every instance of the guest. The daemon keeps a descriptor of its own, which it closes only when the guest's files no
/// longer ask for the address.
package final class Listener {
  /// The `Listen…=` line that asks for it.
  package let listen: Listen
  /// The `[Socket]` section of that line, as it is now.
  var group: SocketGroup
  /// Whether the service manager passed it. It goes on using the socket after us, so that is never shut down, nor its path removed.
  let isPassed: Bool
  /// The socket that was bound or passed. Guests get it, unless clients wait at the standby whom the kernel cannot move.
  let primary: HeldSocket
  /// A second socket at the same address, where clients of a stopping guest are parked. Only the daemon has it.
  var standby: HeldSocket?
  /// Decides to which of the two a new client comes, if they share a port.
  var steering: ReuseportSteering?
  /// Whether new clients come to the standby.
  var steersToStandby = false
  /// Whether the guest has the standby, or will get it.
  var guestHasStandby = false
  /// The address that the kernel bound, with the port that it chose for port 0.
  package let local: SocketAddress
  /// Whether the running guest has it open. Nil while none runs, and until that is known.
  package var isAdopted: Bool?
  /// Whether its sockets are confined: they give the guest no access to the host's network.
  var isConfined = false
  /// Whether the primary was shut down, to drain its queue or by a guest, and has not joined the steering again.
  var hasLostPlace = false
  /// How many clients a stopping guest had in its queue when no more of them could be drained.
  var undrained = 0
  /// The clients that had left when an instance was stopped which had not accepted them. They start no other instance.
  var gone = GoneClients()
  /// Whether its connections report their data to the guest's alarm.
  var hasAlarm = false
  /// Whether only clients that come from now on are reported.
  private var watchesArrivals = false
  private var source: EventSource?
  private var standbySource: EventSource?

  /// Takes over an open socket: one that `openListener` made, or one that the service manager passed.
  ///
  /// - Throws: `SystemError` when the descriptor is not a socket.
  convenience init(
    _ descriptor: consuming OwnedFD, as listen: Listen, of group: SocketGroup, passed: Bool
  ) throws(SystemError) {
    try self.init(HeldSocket(descriptor), as: listen, of: group, passed: passed)
  }

  /// Takes over an open socket.
  ///
  /// - Throws: `SystemError` when the kernel does not tell its address.
  package init(_ socket: HeldSocket, as listen: Listen, of group: SocketGroup, passed: Bool) throws(SystemError) {
    local = try insisting { () throws(SystemError) in try localAddress(of: socket.descriptor) }
    self.listen = listen
    self.group = group
    isPassed = passed
    primary = socket
  }

  /// The socket that the guest has, or will get.
  var socket: HeldSocket { guestHasStandby ? standby ?? primary : primary }
  /// The other of the two.
  var other: HeldSocket? { guestHasStandby ? primary : standby }
  /// Whether new clients come to the socket that the guest does not have.
  var isDiverted: Bool { steersToStandby != guestHasStandby }
  /// Of the socket that the guest has, or will get.
  package var descriptor: OwnedFD { _read { yield socket.descriptor } }
  /// Of the same socket.
  package var inode: UInt64 { socket.inode }

  deinit { stopWatching() }

  /// The port of a TCP listener.
  var tcpPort: UInt16? { listen.kind == .stream ? local.port : nil }
  /// The address as the guest file writes it.
  package var address: String { listen.address.description }

  /// Its name in `LISTEN_FDNAMES`.
  package func name(in guest: String) -> String { group.name(in: guest) }

  /// Undoes what a guest may have done to the shared socket: a shutdown(2), a connect(2).
  ///
  /// - Returns: what was found.
  /// - Throws: `SystemError` when the kernel refuses.
  func repair() throws(SystemError) -> ListenerHealth {
    let health = try repairListener(descriptor, backlog: group.backlog)
    // A datagram socket keeps its place in the steering whatever a guest does.
    if health == .repaired, listen.kind == .stream, !guestHasStandby { hasLostPlace = true }
    return health
  }

  /// Whether its path was removed, and no client waits that came by it before.
  var isUnreachable: Bool {
    guard !isPassed, case .path(let path) = listen.address else { return false }
    do throws(SystemError) {
      _ = try FileStatus(path, followingLinks: false)
      return false
    } catch {
      return error.errno == ENOENT && !isSomebodyWaiting
    }
  }

  /// Calls `incoming` again and again while a client waits. Only while no guest accepts from the socket.
  ///
  /// - Parameters:
  ///   - loop: the loop that watches the listener.
  ///   - all: whether to watch the standby too. Its clients are served by the next instance only, so `incoming` has to end the watch.
  ///   - incoming: called when a client waits.
  /// - Throws: `SystemError` of epoll_ctl(2).
  package func watch(_ loop: EventLoop, all: Bool = true, incoming: @escaping () -> Void) throws(SystemError) {
    watchesArrivals = false
    source = try loop.watch(descriptor, for: .readable) { [unowned self] events in
      // An ICMP error, in answer to what a guest sent, is no client.
      if events != .error || (try? clearErrors(of: descriptor)) == nil { incoming() }
    }
    // A client may have come to the other socket at the moment when clients were steered away from it.
    if all, let other { standbySource = try loop.watch(other.descriptor, for: .readable) { _ in incoming() } }
  }

  /// Reports only clients that come from now on, although others wait.
  func watchArrivals() {
    // Each epoll_ctl(2) reports once more the clients that wait already.
    if watchesArrivals { return }
    watchesArrivals = true
    try? source?.setEvents([.readable, .edgeTriggered])
  }

  /// Stops watching for a second, and then calls `over`: a client that cannot be refused now would keep the loop busy.
  ///
  /// - Throws: `SystemError` when there can be no timer.
  package func rest(_ loop: EventLoop, over: @escaping () -> Void) throws(SystemError) {
    source = try loop.after(.seconds(1), accuracy: .milliseconds(100), handler: over)
  }

  /// Ends ``watch(_:incoming:)`` and ``rest(_:over:)``.
  package func stopWatching() {
    source?.cancel()
    source = nil
    standbySource?.cancel()
    standbySource = nil
  }

  /// The listener as `dormouse status` shows it.
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
