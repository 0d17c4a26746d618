/// A connection that keeps a guest awake.
public struct OpenConnection: Equatable, Sendable {
  /// How far a connection has progressed.
  public enum Place: Equatable, Sendable {
    /// A process of the guest has accepted it.
    case accepted
    /// It waits in the listener's queue.
    case queued
  }

  /// The client's address. An IPv4 client has its IPv4 address, also at a socket that serves both families.
  public var remote: SocketAddress
  /// How far it has progressed.
  public var place: Place
  /// Nil for AF_UNIX.
  public var state: TCPState?
  /// For how long nothing has passed in either direction; nil where the kernel does not record it.
  public var silence: Duration?
  /// Identifies the connection: no other connection ever gets the same number (SO_COOKIE).
  public var cookie: UInt64
  /// How many bytes the guest has not read. A FIN counts as one.
  public var unread: UInt32

  /// Whether a client waits in the queue. A client in CLOSE-WAIT may be gone, so it does not count: it is no reason to start a guest, and
  /// no sign that a guest has stopped serving.
  public var isWaiting: Bool { place == .queued && state != .closeWait }
}

/// The connections that keep a guest awake on one listener.
public struct OpenConnections: Equatable, Sendable {
  /// The connections that count as open.
  public var connections: [OpenConnection] = []
  /// When the result may change without an event; nil means that only an event can change it.
  public var rescanAfter: Duration?

  public init() {}

  mutating func rescan(after span: Duration) {
    rescanAfter = min(rescanAfter ?? span, span)
  }
}

/// Selects the TCP connections that count as open for the listener at `listener`.
///
/// | state | a process holds it | no process holds it |
/// |---|---|---|
/// | ESTABLISHED | yes | yes: it is in the queue |
/// | CLOSE-WAIT | while its silence is shorter than the limit | the same: what the client sent is in the queue |
/// | FIN-WAIT-1/2, CLOSING, LAST-ACK | yes: the guest has shut down only its own direction | no: an orphan of the kernel |
/// | SYN-RECEIVED, SYN-SENT, TIME-WAIT, CLOSED, LISTEN | no | no |
///
/// A half-open connection (SYN-RECEIVED) does not count, because anybody can make one with a forged address. A live client completes it
/// within a round trip, or with its first data where `DeferAcceptSec=` waits for that.
///
/// CLOSE-WAIT means that the client has closed the connection or will send no more: the two look the same. No event announces
/// CLOSE-WAIT, so an established connection has to be scanned again after as long as a client may be gone unnoticed.
/// - Parameters:
///   - listener: the address that the listener is bound to.
///   - others: the addresses of further listeners; a connection belongs to the most specific one.
///   - connections: from `SockDiag.tcpConnections`.
///   - closeWaitLimit: for how long a connection counts after its client has closed it.
/// - Returns: the connections that count, and when to scan again.
public func openConnections(
  of listener: SocketAddress, besides others: [SocketAddress] = [], among connections: [TCPConnection],
  closeWaitLimit: Duration
) -> OpenConnections {
  var open = OpenConnections()
  for connection in connections {
    guard let rank = listener.rank(asListenerOf: connection.local),
      !others.contains(where: { ($0.rank(asListenerOf: connection.local) ?? rank) > rank })
    else { continue }
    open.count(connection, closeWaitLimit: closeWaitLimit)
  }
  return open
}

extension OpenConnections {
  fileprivate mutating func count(_ connection: TCPConnection, closeWaitLimit: Duration) {
    let isHeld = connection.inode != 0
    switch connection.state {
    case .established:
      append(connection, isHeld ? .accepted : .queued)
      rescan(after: closeWaitLimit)
    case .closeWait:
      let left = closeWaitLimit - (connection.silence ?? .zero)
      guard left > .zero else { return }
      append(connection, isHeld ? .accepted : .queued)
      rescan(after: left)
    case .finWait1, .finWait2, .closing, .lastAck:
      if isHeld { append(connection, .accepted) }
    case .synReceived, .newSynReceived, .synSent, .timeWait, .close, .listen: return
    }
  }

  private mutating func append(_ connection: TCPConnection, _ place: OpenConnection.Place) {
    connections.append(
      OpenConnection(
        remote: connection.remote.unmapped, place: place, state: connection.state, silence: connection.silence,
        cookie: connection.cookie, unread: connection.unread))
  }
}

extension SocketAddress {
  /// Whether a listener at this address accepts connections whose local address is `local`.
  public func accepts(at local: SocketAddress) -> Bool { rank(asListenerOf: local) != nil }

  /// How specifically a listener at this address matches `local`; nil when it does not accept connections there.
  ///
  /// An accepted socket has its listener's family, so that an IPv4 client at `[::]:80` has an IPv6 address here.
  fileprivate func rank(asListenerOf local: SocketAddress) -> Int? {
    switch (self, local) {
    case (.ipv4(let address, let port), .ipv4(let other, let otherPort)) where port == otherPort:
      address == other ? 1 : address == .any ? 0 : nil
    case (.ipv6(let address, let port, let scope), .ipv6(let other, let otherPort, let otherScope))
    where port == otherPort && (scope == 0 || scope == otherScope || !address.isLinkLocal):
      address == other ? 1 : address == .any ? 0 : nil
    default: nil
    }
  }

  /// `1.2.3.4` for `::ffff:1.2.3.4`.
  var unmapped: SocketAddress {
    if case .ipv6(let address, let port, _) = self, let mapped = address.mapped { return .ipv4(mapped, port: port) }
    return self
  }
}
