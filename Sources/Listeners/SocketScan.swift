import ControlProtocol
import GuestSpec
import Lifecycle
import Linux

/// Scans a guest's sockets: which connections are open, which clients wait, when the last datagram came.
package final class SocketScan {
  private let diag: SockDiag
  private let ended: EndedConnections
  private let listeners: GuestListeners
  /// How long a half-closed connection counts as a use while the guest is silent on it. Its client has closed, or will send no more: the two
  /// look the same.
  private let closeWaitLimit: Duration
  /// When each connection was first found, by its cookie. The kernel does not record when a connection was made.
  private var firstSeen: [UInt64: Timestamp] = [:]
  /// Counts the guest's connections.
  package private(set) var tally: ConnectionTally
  /// Whether the kernel reports the ends of TCP connections. If it does not, they are scanned as often as AF_UNIX.
  package var receivesEnds = false
  /// Whether somebody uses the guest without a connection: at its console.
  package var isAttended: () -> Bool = { false }
  /// The result and the time of the last scan, if it found many connections.
  private var last: (found: Found, at: Duration)?
  private let many: Int
  /// How long `look` returns the result of the last scan if that found many connections: the kernel takes 100 ms to list 18,000.
  private static let lookPause = Duration.seconds(10)
  /// The next scan comes this soon while clients wait in a queue: the guest may have stopped serving them.
  private static let queueRescan = Duration.seconds(5)

  /// Makes a scan of `listeners`.
  ///
  /// - Parameters:
  ///   - diag: asks the kernel.
  ///   - ended: reports the ends of TCP connections.
  ///   - listeners: the guest's.
  ///   - idleStop: the guest's `IdleStopSec=`.
  ///   - tally: of the guest's earlier instances.
  ///   - many: from how many connections on `look` does not scan each time.
  package init(
    _ diag: SockDiag, _ ended: EndedConnections, listeners: GuestListeners, idleStop: Duration?,
    tally: ConnectionTally = ConnectionTally(), many: Int = 1000
  ) {
    self.many = many
    self.tally = tally
    self.diag = diag
    self.ended = ended
    self.listeners = listeners
    // Not shorter, however short IdleStopSec= is: a client may wait for an answer that takes the guest a while.
    closeWaitLimit = max(idleStop ?? .zero, IdlePolicy.seldom)
  }

  /// What a scan found.
  package struct Found {
    /// What the idle policy judges by.
    package var usage = IdlePolicy.Usage(inUse: false, endIsAnnounced: true)
    /// Open and queued connections.
    package var connections: [ConnectionStatus] = []
    /// The cookie of each connection, in the same order.
    fileprivate var cookies: [UInt64] = []
    /// How many bytes of each connection the guest has not read, in the same order.
    fileprivate var unreadBytes: [UInt32] = []
    /// How many bytes of each connection the guest has not read, by the connection's cookie.
    var unread: FrozenConnections.Unread {
      FrozenConnections.Unread(zip(cookies, unreadBytes), uniquingKeysWith: { $1 })
    }
    /// The cookies of accepted connections whose end the kernel reports, and of those whose end it does not report.
    fileprivate var announced: Set<UInt64> = []
    fileprivate var unannounced: Set<UInt64> = []
    /// Somebody uses the guest in a way of which nothing reports the next activity.
    fileprivate var isOpaque = false
    /// The listeners at which clients wait that have not left, with their number.
    package var waiting: [(listener: Listener, count: Int)] = []
  }

  private var tcpAddresses: [SocketAddress] { listeners.all.filter { $0.tcpPort != nil }.map(\.local) }

  /// Whether a TCP client is in its handshake, with the guest or with a standby.
  ///
  /// - Throws: `SystemError` when the kernel does not answer.
  package func isAnyHalfOpen() throws(SystemError) -> Bool { try diag.isAnyHalfOpen(at: tcpAddresses) }

  /// The listeners that the guest has not left alone. A client that tries again and again at another one is no user of the guest.
  private var served: [Listener] { listeners.all.filter { $0.isAdopted != false } }
  /// The TCP ports of these.
  package var servedPorts: Set<UInt16> { Set(served.compactMap(\.tcpPort)) }

  /// Whether data on the guest's connections is reported while it is frozen.
  var monitorsData: Bool { listeners.alarm != nil }

  private var hasUnixListener: Bool {
    listeners.all.contains { listener in
      switch (listener.listen.kind, listener.local) {
      case (.datagram, _), (_, .ipv4), (_, .ipv6): false
      case (_, .path), (_, .abstract), (_, .unnamed): true
      }
    }
  }

  /// Scans now. First the ends of connections are reported that the kernel has announced, for this guest and for others: each was a use,
  /// and is judged by the state in which it happened.
  ///
  /// - Returns: what was found.
  /// - Throws: `SystemError` when the kernel does not answer.
  package func scan() throws(SystemError) -> Found {
    ended.drain()
    var found = Found()
    let tcp = try diag.tcpConnections(at: tcpAddresses)
    let unix = hasUnixListener ? try diag.unixSockets() : []
    let addresses = listeners.all.map(\.local)
    for listener in listeners.all {
      switch (listener.listen.kind, listener.local) {
      case (.datagram, _): try scanDatagrams(of: listener, &found)
      case (_, .ipv4), (_, .ipv6):
        let open = openConnections(
          of: listener.local, besides: addresses, among: tcp, closeWaitLimit: closeWaitLimit)
        found.add(open, of: listener, endIsAnnounced: receivesEnds)
        let unmonitored = listeners.alarm?.unmonitored ?? []
        if open.connections.contains(where: { unmonitored.contains($0.cookie) }) { found.isOpaque = true }
      case (_, .path), (_, .abstract), (_, .unnamed):
        if let socket = unix.first(where: { $0.inode == listener.inode }) {
          found.add(openConnections(of: socket, among: unix), of: listener, endIsAnnounced: false)
        } else if listener.isSomebodyQueued {
          // The queue is too long to be listed.
          found.usage.inUse = true
          found.usage.endIsAnnounced = false
          found.isOpaque = true
          found.waiting.append((listener, listener.queued(diag)))
        }
      }
    }
    if isAttended() {
      found.usage.inUse = true
      found.usage.endIsAnnounced = false
      found.isOpaque = true
    }
    if found.isOpaque { found.usage.silence = nil }
    if !found.waiting.isEmpty { found.usage.rescan(within: Self.queueRescan) }
    recordFirstSeen(&found)
    found.usage.isSomebodyParked = listeners.isSomebodyParked
    tally.found(found.announced, others: found.unannounced)
    last = found.connections.count >= many ? (found, Clocks.monotonic) : nil
    return found
  }

  /// For status reports: scans, unless the last scan found many connections and is younger than `lookPause`.
  ///
  /// - Returns: what was found.
  /// - Throws: as `scan`.
  package func look() throws(SystemError) -> Found {
    if let last, Clocks.monotonic - last.at < Self.lookPause { return last.found }
    return try scan()
  }

  /// Records connections that ended on the guest's ports.
  ///
  /// - Parameter connections: nil when the kernel lost reports.
  /// - Returns: how many of the guest's connections ended without a byte from it. Nil when none was the guest's.
  package func recordEnded(_ connections: [TCPConnection]?) -> Int? {
    guard let connections else {
      tally.missedSome()
      return 0
    }
    let addresses = served.filter { $0.tcpPort != nil }.map(\.local)
    let own = connections.filter { connection in addresses.contains { $0.accepts(at: connection.local) } }
    if own.isEmpty { return nil }
    let before = tally.unanswered
    for connection in own { tally.ended(connection.cookie, isAnswered: connection.bytesSent != 0) }
    return tally.unanswered - before
  }

  private func recordFirstSeen(_ found: inout Found) {
    let moment = Timestamp.now
    let seenBefore = firstSeen
    firstSeen = [:]
    for index in found.connections.indices {
      let cookie = found.cookies[index]
      // A connection that has been silent for a time existed before it was first seen.
      let silence = found.connections[index].silentMs.map { Duration.milliseconds($0) } ?? .zero
      let since = seenBefore[cookie] ?? moment - silence
      firstSeen[cookie] = since
      found.connections[index].since = since
    }
  }

  private func scanDatagrams(of listener: Listener, _ found: inout Found) throws(SystemError) {
    // Nothing reports the next datagram.
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

extension SocketScan.Found {
  fileprivate mutating func add(_ open: OpenConnections, of listener: Listener, endIsAnnounced: Bool) {
    if let again = open.rescanAfter { usage.rescan(within: again) }
    if open.connections.isEmpty { return }
    usage.inUse = true
    if !endIsAnnounced { usage.endIsAnnounced = false }
    for connection in open.connections {
      guard connection.place == .accepted, let silence = connection.silence else {
        isOpaque = true
        continue
      }
      usage.silence = min(usage.silence ?? silence, silence)
    }
    let queued = open.connections.count(where: \.isWaiting)
    if queued > 0 { waiting.append((listener, queued)) }
    connections += open.connections.map { ConnectionStatus($0, to: listener) }
    cookies += open.connections.map(\.cookie)
    unreadBytes += open.connections.map(\.unread)
    let accepted = open.connections.filter { $0.place == .accepted }.map(\.cookie)
    if endIsAnnounced { announced.formUnion(accepted) } else { unannounced.formUnion(accepted) }
  }
}

extension IdlePolicy.Usage {
  fileprivate mutating func rescan(within delay: Duration) {
    rescanAfter = min(rescanAfter ?? delay, delay)
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
