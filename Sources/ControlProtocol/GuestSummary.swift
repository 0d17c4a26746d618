/// One guest in `List`: an element of the array that `dormouse list --json` prints.
public struct GuestSummary: Codable, Equatable, Sendable {
  /// The guest file's name without `.guest`.
  public var name: String
  /// systemd's word for where it is in its life.
  public var state: GuestState
  /// When it came into this state.
  public var since: Timestamp
  /// The addresses held for it, as systemd.socket(5) writes them: `0.0.0.0:80`, `[::]:80`, `/run/x.socket`, `@abstract`.
  public var sockets: [String] = []
  /// How many connections it has, those that wait in an accept queue included.
  public var connections = 0
  /// How often it was started since the daemon was.
  public var wakes = 0
  /// The host's number of the guest's PID 1.
  @OrNull public var pid: Int32?

  public init(name: String, state: GuestState, since: Timestamp) {
    self.name = name
    self.state = state
    self.since = since
  }
}

/// systemd's words for the state of a unit, and `frozen` between the last use and the halt.
public enum GuestState: String, Codable, CaseIterable, Sendable {
  case inactive, activating, active, frozen, deactivating, failed
}
