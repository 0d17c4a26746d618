import ControlProtocol
import GuestSpec
import Lifecycle
import Linux

/// One look at a guest's sockets: which connections there are, what waits, when the last datagram came.
final class SocketLook {
  private let diag: SockDiag
  private let listeners: GuestListeners
  /// How long a connection counts whose client has closed, or will send no more (both look the same), while the guest holds on
  /// to its end in silence.
  private let closeWaitLimit: Duration
  /// When each connection, by its cookie, was first seen: the kernel does not keep when it was made.
  private var firstSeen: [UInt64: Timestamp] = [:]
  /// Those that the guest had at the last look, and how many they have been in all.
  private var accepted: Set<UInt64> = []
  private(set) var acceptedCount = 0
  /// Whether somebody uses the guest who came by no socket of it: one who sits at its console.
  var isAttended: () -> Bool = { false }
  /// Clients that nobody takes are looked at this soon again: the guest may have ceased to serve them.
  private static let queueLookAgain = Duration.seconds(5)

  init(_ diag: SockDiag, listeners: GuestListeners, idleStop: Duration?) {
    self.diag = diag
    self.listeners = listeners
    // Not shorter, however short IdleStopSec= is: a client may have asked for what takes the guest a while.
    closeWaitLimit = max(idleStop ?? .zero, IdlePolicy.seldom)
  }

  struct Found {
    var usage = IdlePolicy.Usage(inUse: false, endIsAnnounced: true)
    var connections: [ConnectionStatus] = []
    /// The kernel's name of each connection, in the same order.
    fileprivate var cookies: [UInt64] = []
    /// Somebody uses the guest in a way in which it cannot be seen what comes next.
    fileprivate var isOpaque = false
    /// A client of TCP is in its handshake.
    fileprivate(set) var isHalfOpen = false
    /// Those at which somebody waits.
    var waiting: [(listener: Listener, count: Int)] = []
  }

  var tcpPorts: Set<UInt16> { Set(listeners.all.compactMap(\.tcpPort)) }

  /// Those at which the guest serves: who tries again and again at another is no user of it.
  var servedPorts: Set<UInt16> { Set(listeners.all.filter { $0.isAdopted != false }.compactMap(\.tcpPort)) }

  /// Whether it is told what arrives on connections.
  var hearsData: Bool { listeners.alarm != nil }

  /// Somebody waits for whom the guest has to come to its end first.
  var isSomebodyStranded: Bool { listeners.isSomebodyStranded }

  private var hasUnixListener: Bool {
    listeners.all.contains { listener in
      switch (listener.listen.kind, listener.local) {
      case (.datagram, _), (_, .ipv4), (_, .ipv6): false
      case (_, .path), (_, .abstract), (_, .unnamed): true
      }
    }
  }

  /// - Throws: `SystemError` when the kernel does not answer.
  func take() throws(SystemError) -> Found {
    var found = Found()
    let tcp = tcpPorts.isEmpty ? [] : try diag.tcpConnections(localPorts: tcpPorts)
    let unix = hasUnixListener ? try diag.connectedUnixSockets() : []
    let addresses = listeners.all.map(\.local)
    for listener in listeners.all {
      switch (listener.listen.kind, listener.local) {
      case (.datagram, _): try lookAtDatagrams(of: listener, &found)
      case (_, .ipv4), (_, .ipv6):
        let open = openConnections(
          of: listener.local, besides: addresses, among: tcp, closeWaitLimit: closeWaitLimit)
        found.add(open, of: listener, endIsAnnounced: true)
        if open.connections.contains(where: { listeners.unheard.contains($0.cookie) }) { found.isOpaque = true }
      case (_, .path), (_, .abstract), (_, .unnamed):
        if let socket = try diag.unixSocket(inode: listener.inode) {
          found.add(openConnections(of: socket, among: unix), of: listener, endIsAnnounced: false)
        }
      }
    }
    if isAttended() {
      found.usage.inUse = true
      found.usage.endIsAnnounced = false
      found.isOpaque = true
    }
    if found.isOpaque { found.usage.silence = nil }
    if !found.waiting.isEmpty { found.usage.lookAgain(within: Self.queueLookAgain) }
    noteFirstSeen(&found)
    return found
  }

  private func noteFirstSeen(_ found: inout Found) {
    let moment = Timestamp.now
    let seenBefore = firstSeen
    firstSeen = [:]
    for index in found.connections.indices {
      let cookie = found.cookies[index]
      let since = seenBefore[cookie] ?? moment
      firstSeen[cookie] = since
      found.connections[index].since = since
    }
    let now = Set(found.connections.indices.filter { !found.connections[$0].queued }.map { found.cookies[$0] })
    acceptedCount += now.subtracting(accepted).count
    accepted = now
  }

  private func lookAtDatagrams(of listener: Listener, _ found: inout Found) throws(SystemError) {
    // Its end is not announced, nor is the next datagram.
    found.usage.endIsAnnounced = false
    if try hasInput(listener.descriptor) {
      found.usage.inUse = true
      found.isOpaque = true
      found.waiting.append((listener, try queuedBytes(on: listener.descriptor)))
    }
    if let stamp = try lastDatagram(on: listener.descriptor) {
      let datagram = IdlePolicy.Datagram(stamp: stamp, age: Clocks.realtime - stamp)
      if datagram.stamp > found.usage.lastDatagram?.stamp ?? .zero { found.usage.lastDatagram = datagram }
    }
  }
}

extension SocketLook.Found {
  fileprivate mutating func add(_ open: OpenConnections, of listener: Listener, endIsAnnounced: Bool) {
    if let again = open.lookAgainAfter { usage.lookAgain(within: again) }
    if open.connections.isEmpty { return }
    usage.inUse = true
    if !endIsAnnounced { usage.endIsAnnounced = false }
    for connection in open.connections {
      if connection.place == .halfOpen { isHalfOpen = true }
      guard connection.place == .accepted, let silence = connection.silence else {
        isOpaque = true
        continue
      }
      usage.silence = min(usage.silence ?? silence, silence)
    }
    let queued = open.connections.count { $0.place == .queued }
    if queued > 0 { waiting.append((listener, queued)) }
    connections += open.connections.map { ConnectionStatus($0, to: listener) }
    cookies += open.connections.map(\.cookie)
  }
}

extension IdlePolicy.Usage {
  fileprivate mutating func lookAgain(within delay: Duration) {
    lookAgainAfter = min(lookAgainAfter ?? delay, delay)
  }
}

extension ConnectionStatus {
  fileprivate init(_ connection: OpenConnection, to listener: Listener) {
    self.init(
      socket: listener.address, local: listener.local.description,
      state: (connection.state ?? .established).word)
    remote = connection.remote == .unnamed ? nil : connection.remote.description
    queued = connection.place != .accepted
    silentMs = connection.silence.map { Int($0.milliseconds) }
  }
}

extension Listener {
  /// The port whose connections are to be looked at, if it is a TCP listener.
  var tcpPort: UInt16? { listen.kind == .stream ? local.port : nil }
}
