import Testing

@testable import Linux

@Suite("Open connections")
struct OpenConnectionsTests {
  private static let limit = Duration.seconds(60)
  private static let wildcard = SocketAddress.ipv4(.any, port: 80)
  private static let specific = SocketAddress.ipv4(.loopback, port: 80)
  private static let linkLocal = IPv6Address(high: 0xfe80_0000_0000_0000, low: 1)

  struct Row: CustomTestStringConvertible, Sendable {
    let state: TCPState
    let isHeld: Bool
    let silence: Duration
    let counts: OpenConnection.Place?
    let rescanAfter: Duration?
    var testDescription: String { "\(state.word), \(isHeld ? "held" : "held by nobody"), silent for \(silence)" }

    init(
      _ state: TCPState, held: Bool, silent: Int = 0, _ counts: OpenConnection.Place?, rescan: Int? = nil
    ) {
      self.state = state
      isHeld = held
      silence = .seconds(silent)
      self.counts = counts
      rescanAfter = rescan.map { .seconds($0) }
    }
  }

  @Test(
    "a TCP connection counts as open according to its state, its holder and its silence",
    arguments: [
      Row(.established, held: true, .accepted, rescan: 60),
      Row(.established, held: true, silent: 86400, .accepted, rescan: 60),
      Row(.established, held: false, .queued, rescan: 60),
      Row(.closeWait, held: true, silent: 59, .accepted, rescan: 1),
      Row(.closeWait, held: true, silent: 60, nil),
      Row(.closeWait, held: false, silent: 59, .queued, rescan: 1),
      Row(.closeWait, held: false, silent: 61, nil),
      Row(.finWait1, held: true, .accepted), Row(.finWait1, held: false, nil),
      Row(.finWait2, held: true, .accepted), Row(.finWait2, held: false, nil),
      Row(.closing, held: true, .accepted), Row(.closing, held: false, nil),
      Row(.lastAck, held: true, .accepted), Row(.lastAck, held: false, nil),
      Row(.synReceived, held: false, nil), Row(.newSynReceived, held: false, nil), Row(.synReceived, held: true, nil),
      Row(.timeWait, held: false, nil), Row(.close, held: true, nil), Row(.listen, held: true, nil),
      Row(.synSent, held: true, nil),
    ])
  func states(row: Row) {
    var connection = Self.connection(Self.specific, row.state, inode: row.isHeld ? 17 : 0)
    connection.lastReceived = row.silence + .seconds(5)
    connection.lastAcknowledged = row.silence
    let open = Self.count([connection], on: Self.wildcard)
    #expect(open.connections.map(\.place) == [row.counts].compactMap(\.self))
    #expect(open.rescanAfter == row.rescanAfter)
  }

  @Test("a client waits in a queue only while it has not closed its end")
  func waiting() {
    for (state, isHeld, isWaiting) in [
      (TCPState.established, false, true), (.closeWait, false, false), (.established, true, false),
    ] {
      let open = Self.count([Self.connection(Self.specific, state, inode: isHeld ? 17 : 0)], on: Self.wildcard)
      #expect(open.connections.map(\.isWaiting) == [isWaiting])
    }
  }

  @Test("the time until the next scan is the shortest of all connections")
  func earliest() {
    var connections = [Self.connection(Self.specific, .closeWait), Self.connection(Self.specific, .established)]
    connections[0].lastSent = .seconds(40)
    #expect(Self.count(connections, on: Self.specific).rescanAfter == .seconds(20))
  }

  @Test(
    "a connection belongs to a listener by address, port, family and interface",
    arguments: [
      (wildcard, specific, true),
      (specific, specific, true),
      (.ipv4(.loopback, port: 81), specific, false),
      (.ipv4(IPv4Address(0x7f00_0002), port: 80), specific, false),
      (.ipv6(.any, port: 80, scope: 0), specific, false),
      (.ipv6(.any, port: 80, scope: 0), .ipv6(IPv6Address(high: 0, low: 0xffff_7f00_0001), port: 80, scope: 0), true),
      (.ipv6(.loopback, port: 80, scope: 0), .ipv6(.loopback, port: 80, scope: 0), true),
      (.ipv6(linkLocal, port: 80, scope: 2), .ipv6(linkLocal, port: 80, scope: 2), true),
      (.ipv6(linkLocal, port: 80, scope: 2), .ipv6(linkLocal, port: 80, scope: 3), false),
      (.ipv6(.any, port: 80, scope: 0), .ipv6(linkLocal, port: 80, scope: 3), true),
      (.path("/run/x"), .path("/run/x"), false),
    ] as [(SocketAddress, SocketAddress, Bool)])
  func addresses(listener: SocketAddress, local: SocketAddress, isIts: Bool) {
    #expect(Self.count([Self.connection(local, .established)], on: listener).connections.isEmpty != isIts)
  }

  @Test("a connection belongs to the listener with the most specific address")
  func besides() {
    let connections = [Self.connection(Self.specific, .established)]
    let others = openConnections(
      of: Self.wildcard, besides: [Self.specific, Self.wildcard], among: connections, closeWaitLimit: Self.limit)
    #expect(others.connections.isEmpty)
    let its = openConnections(
      of: Self.specific, besides: [Self.specific, Self.wildcard], among: connections, closeWaitLimit: Self.limit)
    #expect(its.connections.count == 1)
  }

  @Test("AF_UNIX connections count that were accepted by the listener or are queued, unless their client is gone")
  func unix() {
    var listener = UnixSocket(inode: 1, cookie: 1, state: .listen)
    listener.file = UnixSocket.File(inode: 7, device: 8)
    listener.pending = [21, 0]
    var accepted = UnixSocket(inode: 11, cookie: 11, state: .established)
    accepted.file = listener.file
    accepted.peer = 20
    var gone = accepted
    gone.inode = 12
    gone.peer = 0
    var other = accepted
    other.file = UnixSocket.File(inode: 7, device: 9)
    var client = UnixSocket(inode: 20, cookie: 20, state: .established)
    client.peer = 11
    let open = openConnections(of: listener, among: [accepted, gone, other, client])
    #expect(open.connections.map(\.place) == [.accepted, .queued])
    listener.file = nil
    #expect(openConnections(of: listener, among: [accepted]).connections.map(\.place) == [.queued])
  }

  private static func connection(_ local: SocketAddress, _ state: TCPState, inode: UInt32 = 17) -> TCPConnection {
    TCPConnection(local: local, remote: .ipv4(.loopback, port: 4711), state: state, inode: inode, cookie: 1)
  }

  private static func count(_ connections: [TCPConnection], on listener: SocketAddress) -> OpenConnections {
    openConnections(of: listener, among: connections, closeWaitLimit: limit)
  }
}
