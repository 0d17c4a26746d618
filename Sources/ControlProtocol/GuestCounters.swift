/// What happened to a guest since the daemon started.
public struct GuestCounters: Equatable, Sendable {
  /// What is counted. The raw values are the keys of a reply, in the order of the interface's text.
  public enum Counter: String, CodingKey, CaseIterable, Sendable {
    /// Starts after which the guest did not become ready.
    case failedWakes
    /// How often the guest was frozen.
    case freezes
    /// Instances that ended, for whatever cause.
    case stops
    /// Instances that did not stop within TimeoutStopSec= and were ended by SIGKILL.
    case kills
    /// Instances that ended without a request and without a shutdown of their own.
    case crashes
    /// How often the guest rebooted and was started again.
    case reboots
    /// Connections that were closed because no process of the guest took the listening socket.
    case connectionsRefused
    /// Connections to the guest. The kernel does not report the end of an AF_UNIX connection, so one that began and ended between two scans
    /// is missing.
    case accepted
    /// TCP connections, of those, that ended without a byte from the guest: it had nothing to send, or no time to.
    case unanswered
    /// Connections and datagrams that were queued already when their guest started.
    case handedOver
    /// Connections and datagrams that came while a guest stopped, and waited for the next instance.
    case parked
    /// Connections and datagrams that were parked and then moved to the same instance, because its stop was cancelled.
    case unparked
    /// Connections and datagrams that the kernel cannot move out of the queues of a stopping guest, which served or closed them.
    case undrained
    /// Messages to the notify socket that did not come from the guest's PID 1.
    case notifyRefused
    /// Processes of the guest that the kernel killed because memory ran out.
    case memoryKills
  }

  /// Has only the counters that are not zero, so that equal counters are equal values.
  private var counts: [Counter: Int] = [:]
  /// Connections and datagrams that were lost, by reason.
  public var lost: [LossCount] = []

  public init() {}

  /// The value of one counter.
  public subscript(counter: Counter) -> Int {
    get { counts[counter] ?? 0 }
    set { counts[counter] = newValue == 0 ? nil : newValue }
  }
}

extension GuestCounters: Codable {
  private enum OtherKeys: String, CodingKey { case lost }

  /// Writes every counter, also those that are zero: a reply always has all keys.
  public func encode(to encoder: any Encoder) throws {
    var counters = encoder.container(keyedBy: Counter.self)
    for counter in Counter.allCases { try counters.encode(self[counter], forKey: counter) }
    var others = encoder.container(keyedBy: OtherKeys.self)
    try others.encode(lost, forKey: .lost)
  }

  public init(from decoder: any Decoder) throws {
    let counters = try decoder.container(keyedBy: Counter.self)
    for counter in Counter.allCases { self[counter] = try counters.decode(Int.self, forKey: counter) }
    lost = try decoder.container(keyedBy: OtherKeys.self).decode([LossCount].self, forKey: .lost)
  }
}

/// How many connections and datagrams were lost for one reason.
public struct LossCount: Codable, Equatable, Sendable {
  /// Why they were lost.
  public var reason: LossReason
  /// How many, since the daemon started.
  public var count: Int

  public init(reason: LossReason, count: Int) {
    self.reason = reason
    self.count = count
  }
}

/// Why a connection or a datagram was lost.
public enum LossReason: ExtensibleEnum {
  /// No process of the guest took the listening socket it came to, so it was closed.
  case notAdopted
  /// It was parked and could not be moved to a guest.
  case notUnparked
  /// A stopping guest closed a TCP connection without a byte from its side.
  case unanswered
  /// It was open when the guest was killed because it did not stop within TimeoutStopSec=.
  case killed
  /// The guest had failed too often in a row, so clients were refused until it was started again.
  case failed
  /// A reason that this version does not know.
  case unrecognized(String)

  public static let known: [LossReason] = [.notAdopted, .notUnparked, .unanswered, .killed, .failed]

  public var rawValue: String {
    switch self {
    case .notAdopted: "notAdopted"
    case .notUnparked: "notUnparked"
    case .unanswered: "unanswered"
    case .killed: "killed"
    case .failed: "failed"
    case .unrecognized(let word): word
    }
  }
}
