/// A connection that keeps a guest awake, with what one wants to know of it.
public struct OpenConnection: Equatable, Sendable {
  /// How far a connection has come.
  public enum Place: Equatable, Sendable {
    /// A process of the guest has it.
    case accepted
    /// It waits in the listener's queue.
    case queued
    /// The client has sent its first segment; the handshake is not complete, or `DeferAcceptSec=` waits for its first data.
    case halfOpen
  }

  /// The client; one of IPv4 is shown as such also where the socket serves both families.
  public var remote: SocketAddress
  /// How far it has come.
  public var place: Place
  /// Nil for AF_UNIX.
  public var state: TCPState?
  /// How long nothing has passed in either direction; nil where the kernel keeps no time.
  public var silence: Duration?
  /// Names the connection for ever, so that one can remember since when it has been there.
  public var cookie: UInt64
  /// Who the client is, where the kernel tells (AF_UNIX).
  public var uid: UInt32?
}

/// The connections that keep a guest awake on one listener.
public struct OpenConnections: Equatable, Sendable {
  /// Those that count as open.
  public var connections: [OpenConnection] = []
  /// When the answer may change although no event says so; nil means that only an event can change it.
  public var rescanAfter: Duration?

  public init() {}

  mutating func rescan(after span: Duration) {
    rescanAfter = min(rescanAfter ?? span, span)
  }
}

/// Which connections of TCP count as open for the listener at `listener`.
///
/// | state | has a process it | nobody has it |
/// |---|---|---|
/// | ESTABLISHED | yes | yes: it is in the queue |
/// | CLOSE-WAIT | while its silence is shorter than the limit | the same: the queue holds what the client sent |
/// | FIN-WAIT-1/2, CLOSING, LAST-ACK | yes: the guest has shut down its direction only | no: the kernel's orphan |
/// | SYN-RECEIVED | yes | while the client can be supposed alive |
/// | SYN-SENT, TIME-WAIT, CLOSED, LISTEN | no | no |
///
/// CLOSE-WAIT says that the client has closed, or will send no more: both look the same. It comes without an event, so an
/// established connection has to be looked at again after as long a time as a client may be gone unnoticed.
/// - Parameters:
///   - listener: where the listener is bound.
///   - others: further listeners; a connection belongs to the one that names its address most exactly.
///   - connections: from `SockDiag.tcpConnections`.
///   - closeWaitLimit: how long a connection counts whose client has closed.
/// - Returns: those that count, and when to look again.
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
  /// A SYN-ACK is repeated after 1, 2 and 4 seconds; a living client has answered by then.
  private static let mostRetransmissions = 2
  private static let shortestWait = Duration.milliseconds(100)

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
    case .synReceived, .newSynReceived:
      guard isHeld || connection.retransmissions <= Self.mostRetransmissions else { return }
      append(connection, .halfOpen)
      rescan(after: max(connection.timer, Self.shortestWait))
    case .synSent, .timeWait, .close, .listen: return
    }
  }

  private mutating func append(_ connection: TCPConnection, _ place: OpenConnection.Place) {
    connections.append(
      OpenConnection(
        remote: connection.remote.unmapped, place: place, state: connection.state, silence: connection.silence,
        cookie: connection.cookie))
  }
}

extension SocketAddress {
  /// Whether a listener here accepts connections whose own end is at `local`.
  public func accepts(at local: SocketAddress) -> Bool { rank(asListenerOf: local) != nil }

  /// How exactly a listener here names `local`; nil when it does not accept connections there.
  ///
  /// An accepted socket is of its listener's family, so that a client of IPv4 at `[::]:80` is one of IPv6 here.
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
