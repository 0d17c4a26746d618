/// Why a guest is in its state and what would change that: the reply to `Why`.
public struct GuestExplanation: Codable, Equatable, Sendable {
  /// The name of the guest file without `.guest`.
  public var name: String
  /// The state that is explained.
  public var state: GuestState
  /// When it came into this state.
  public var since: Timestamp
  /// The connections that keep it awake, including those in an accept queue.
  public var connections: [ConnectionStatus] = []
  /// What else keeps it in this state, one sentence each: `IdleStopSec=infinity`, `not ready yet`.
  public var reasons: [String] = []
  /// The units in the guest that have failed.
  public var failedUnits: [FailedUnit] = []
  /// When it was last used; null while it is in use.
  @OrNull public var idleSince: Timestamp?
  /// When the guest will be frozen if nobody uses it until then; null if no freeze is due.
  @OrNull public var freezeAt: Timestamp?
  /// When it will be stopped if nobody uses it until then.
  @OrNull public var stopAt: Timestamp?
  /// In the state `failed`: until when connections do not start it.
  @OrNull public var retryAt: Timestamp?
  /// The addresses at which a connection would wake it now.
  public var wakeBy: [String] = []

  public init(name: String, state: GuestState, since: Timestamp) {
    self.name = name
    self.state = state
    self.since = since
  }
}

/// A connection to a guest.
public struct ConnectionStatus: Codable, Equatable, Sendable {
  /// The address of the listening socket it came to.
  public var socket: String
  /// The address of this end: `ADDRESS:PORT`, or the path of an AF_UNIX socket.
  public var local: String
  /// The address of the other end; null if it has none, as most AF_UNIX clients.
  @OrNull public var remote: String?
  /// A state of RFC 9293, also for AF_UNIX: `ESTABLISHED`, `CLOSE-WAIT`.
  public var state: String
  /// Whether it waits in the accept queue.
  public var queued = false
  /// When the daemon first saw it.
  @OrNull public var since: Timestamp?
  /// Milliseconds since something was sent or received on it.
  @OrNull public var silentMs: Int?

  public init(socket: String, local: String, state: String) {
    self.socket = socket
    self.local = local
    self.state = state
  }
}
