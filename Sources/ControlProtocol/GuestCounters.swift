/// What happened to a guest since the daemon started.
public struct GuestCounters: Codable, Equatable, Sendable {
  /// Starts after which the guest did not become ready.
  public var failedWakes = 0
  /// How often the guest was frozen.
  public var freezes = 0
  /// Instances that ended, for whatever cause.
  public var stops = 0
  /// Instances that did not stop within TimeoutStopSec= and were ended by SIGKILL.
  public var kills = 0
  /// Instances that ended without a request and without a shutdown of their own.
  public var crashes = 0
  /// How often the guest rebooted and was started again.
  public var reboots = 0
  /// Connections that were closed because no process of the guest took the listening socket.
  public var connectionsRefused = 0
  /// Connections to the guest. The kernel does not report the end of an AF_UNIX connection, so one that began and ended between two scans
  /// is missing.
  public var accepted = 0
  /// TCP connections, of those, that ended without a byte from the guest: it had nothing to send, or no time to.
  public var unanswered = 0
  /// Connections and datagrams that were queued already when their guest started.
  public var handedOver = 0
  /// Connections and datagrams that came while a guest stopped, and waited for the next instance.
  public var parked = 0
  /// Connections and datagrams that were parked and then moved to the same instance, because its stop was cancelled.
  public var unparked = 0
  /// Connections and datagrams that the kernel cannot move out of the queues of a stopping guest, which served or closed them.
  public var undrained = 0
  /// Connections and datagrams that were lost, by reason.
  public var lost: [LossCount] = []
  /// Messages to the notify socket that did not come from the guest's PID 1.
  public var notifyRefused = 0
  /// Processes of the guest that the kernel killed because memory ran out.
  public var memoryKills = 0

  public init() {}
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
  /// A reason that this version does not know.
  case unrecognized(String)

  public static let known: [LossReason] = [.notAdopted, .notUnparked, .unanswered, .killed]

  public var rawValue: String {
    switch self {
    case .notAdopted: "notAdopted"
    case .notUnparked: "notUnparked"
    case .unanswered: "unanswered"
    case .killed: "killed"
    case .unrecognized(let word): word
    }
  }
}
