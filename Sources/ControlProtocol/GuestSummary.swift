/// One guest in `List`: an element of the array that `dormouse list --json` prints.
public struct GuestSummary: Codable, Equatable, Sendable {
  /// The name of the guest file without `.guest`.
  public var name: String
  /// systemd's word for the state it is in.
  public var state: GuestState
  /// When it came into this state.
  public var since: Timestamp
  /// The addresses of its sockets, written as in systemd.socket(5): `0.0.0.0:80`, `[::]:80`, `/run/x.socket`, `@abstract`.
  public var sockets: [String] = []
  /// How many connections it has, including those in an accept queue.
  public var connections = 0
  /// How often it was started since the daemon started.
  public var wakes = 0
  /// The process ID of its PID 1 on the host.
  @OrNull public var pid: Int32?
  /// A sentence on what needs attention: why the guest has failed, what is wrong with its file, who holds its sockets. Null if nothing
  /// does.
  @OrNull public var note: String?

  public init(name: String, state: GuestState, since: Timestamp) {
    self.name = name
    self.state = state
    self.since = since
  }
}

/// systemd's words for the state of a unit, and `frozen`.
public enum GuestState: ExtensibleEnum {
  case inactive, activating, active, frozen, deactivating, failed
  /// The guest's file has an error, so it is not managed. A Varlink identifier cannot have the dash of systemd's `bad-setting`.
  case badSetting
  /// A state that this version does not know.
  case unrecognized(String)

  public static let known: [GuestState] = [
    .inactive, .activating, .active, .frozen, .deactivating, .failed, .badSetting,
  ]

  public var rawValue: String {
    switch self {
    case .inactive: "inactive"
    case .activating: "activating"
    case .active: "active"
    case .frozen: "frozen"
    case .deactivating: "deactivating"
    case .failed: "failed"
    case .badSetting: "bad_setting"
    case .unrecognized(let word): word
    }
  }

  /// The word as systemd writes it, for printed text.
  public var word: String { self == .badSetting ? "bad-setting" : rawValue }
}
