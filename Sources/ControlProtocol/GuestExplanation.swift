/// Why a guest is in its state and what would change that: the reply to `Why`.
public struct GuestExplanation: Codable, Equatable, Sendable {
  /// The guest file's name without `.guest`.
  public var name: String
  /// The state that is explained.
  public var state: GuestState
  /// When it came into this state.
  public var since: Timestamp
  /// The connections that keep it awake, those that wait in an accept queue included.
  public var connections: [ConnectionStatus] = []
  /// What else holds it in this state, a sentence each: `IdleStopSec=infinity`, `not ready yet`.
  public var reasons: [String] = []
  /// Since when nobody uses it.
  @OrNull public var idleSince: Timestamp?
  /// When it will be stopped, if nothing uses it until then.
  @OrNull public var stopAt: Timestamp?
  /// When state is `failed`: until when no connection wakes it.
  @OrNull public var retryAt: Timestamp?
  /// The addresses a connection to which would wake it now.
  public var wakeBy: [String] = []

  public init(name: String, state: GuestState, since: Timestamp) {
    self.name = name
    self.state = state
    self.since = since
  }
}

/// One connection to a guest.
public struct ConnectionStatus: Codable, Equatable, Sendable {
  /// The address of the listening socket it came by.
  public var socket: String
  /// This end of it: `ADDRESS:PORT`, or the path of an AF_UNIX socket.
  public var local: String
  /// The other end; null where it has no address, as most AF_UNIX clients.
  @OrNull public var remote: String?
  /// As RFC 9293 has it, for AF_UNIX too: `ESTABLISHED`, `CLOSE-WAIT`.
  public var state: String
  /// Nobody in the guest took it yet.
  public var queued = false
  /// When the daemon saw it first.
  @OrNull public var since: Timestamp?
  /// Milliseconds since something was sent or received on it.
  @OrNull public var silentMs: Int?

  public init(socket: String, local: String, state: String) {
    self.socket = socket
    self.local = local
    self.state = state
  }
}
