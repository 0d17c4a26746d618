/// How a guest was started, and how long each part took.
public struct WakeReport: Codable, Equatable, Sendable {
  /// What started it.
  public var cause: WakeCause
  /// The address of the socket to which the connection or datagram came.
  @OrNull public var socket: String?
  /// When the daemon noticed it. The following are measured from here.
  public var at: Timestamp
  /// Milliseconds until PID 1 was executed.
  @OrNull public var startedMs: Double?
  /// Milliseconds until PID 1 had installed its signal handlers; null for systemd before 256, which does not report it.
  @OrNull public var handlersMs: Double?
  /// Milliseconds until the guest was ready.
  @OrNull public var readyMs: Double?
  /// Why it did not become ready.
  @OrNull public var failure: String?

  public init(cause: WakeCause, at: Timestamp) {
    self.cause = cause
    self.at = at
  }
}

/// What started a guest.
public enum WakeCause: ExtensibleEnum {
  /// A connection or a datagram to one of its sockets.
  case connection
  /// `Wake`.
  case request
  /// The guest's own reboot.
  case reboot
  /// A cause that this version does not know.
  case unrecognized(String)

  public static let known: [WakeCause] = [.connection, .request, .reboot]

  public var rawValue: String {
    switch self {
    case .connection: "connection"
    case .request: "request"
    case .reboot: "reboot"
    case .unrecognized(let word): word
    }
  }

  /// The cause in words, for the log and for `dormouse status`.
  public var words: String {
    switch self {
    case .connection: "a connection"
    case .request: "a request"
    case .reboot: "its own reboot"
    case .unrecognized(let word): word
    }
  }
}

/// How a guest ended.
public struct StopReport: Codable, Equatable, Sendable {
  /// Why it ended.
  public var cause: StopCause
  /// When the daemon told it to stop or, if it did not, when it ended.
  public var at: Timestamp
  /// Milliseconds from there until it ended; null while it has not, and if the daemon did not tell it to stop.
  @OrNull public var tookMs: Double?
  /// Whether it did not stop in time and was ended by SIGKILL.
  public var killed = false
  /// The exit status of PID 1, if it exited.
  @OrNull public var exitStatus: Int32?
  /// The signal that ended PID 1. The kernel reports a halt as `SIGINT` and a reboot as `SIGHUP`.
  @OrNull public var signal: String?
  /// The argument of its reboot (`systemctl reboot --reboot-argument=`).
  @OrNull public var rebootParameter: String?

  public init(cause: StopCause, at: Timestamp) {
    self.cause = cause
    self.at = at
  }
}

/// Why a guest ended.
public enum StopCause: ExtensibleEnum {
  /// Nobody used it for IdleStopSec=.
  case idle
  /// `Sleep`.
  case request
  /// It shut itself down, or its payload ended without an error.
  case shutdown
  /// It rebooted itself.
  case reboot
  /// It ended in another way without a request.
  case crash
  /// It was not ready by TimeoutStartSec=.
  case startTimeout
  /// It closed a listening socket at which clients waited.
  case listenerClosed
  /// Clients waited at a socket that only the next instance has.
  case parkedTooLong
  /// The daemon was told to stop, or the guest is an orphan of an earlier one.
  case daemon
  /// Its guest file was removed.
  case configuration
  /// A cause that this version does not know.
  case unrecognized(String)

  public static let known: [StopCause] = [
    .idle, .request, .shutdown, .reboot, .crash, .startTimeout, .listenerClosed, .parkedTooLong, .daemon,
    .configuration,
  ]

  public var rawValue: String {
    switch self {
    case .idle: "idle"
    case .request: "request"
    case .shutdown: "shutdown"
    case .reboot: "reboot"
    case .crash: "crash"
    case .startTimeout: "startTimeout"
    case .listenerClosed: "listenerClosed"
    case .parkedTooLong: "parkedTooLong"
    case .daemon: "daemon"
    case .configuration: "configuration"
    case .unrecognized(let word): word
    }
  }

  /// The cause in words, for the log and for `dormouse status`.
  public var words: String {
    switch self {
    case .idle: "nobody used it"
    case .request: "on request"
    case .shutdown: "its own shutdown"
    case .reboot: "its own reboot"
    case .crash: "it crashed"
    case .startTimeout: "it was not ready within TimeoutStartSec="
    case .parkedTooLong: "clients waited that only its next instance can serve"
    case .listenerClosed: "it closed a listening socket at which clients waited"
    case .daemon: "the daemon stops, or an earlier one left it"
    case .configuration: "its file was removed"
    case .unrecognized(let word): word
    }
  }
}

/// What the guest's PID 1 sent to its notify socket (sd_notify(3) and the X_SYSTEMD_ fields of systemd(1)), and what its systemd answered
/// to dormouse-ask.
public struct GuestReport: Codable, Equatable, Sendable {
  /// READY=1 was sent.
  public var ready = false
  /// RELOADING=1 was sent, and READY=1 not yet again.
  public var reloading = false
  /// STATUS=.
  @OrNull public var status: String?
  /// The unit whose start or stop systemd waits for, according to STATUS=.
  @OrNull public var reaching: String?
  /// The address of its SSH server on this host, as systemd-ssh-proxy(1) writes it; null until the guest reports that logins are possible.
  @OrNull public var sshAddress: String?
  /// X_SYSTEMD_HOSTNAME=.
  @OrNull public var hostname: String?
  /// X_SYSTEMD_MACHINE_ID=.
  @OrNull public var machineID: String?
  /// X_SYSTEMD_SIGNALS_LEVEL=.
  @OrNull public var signalsLevel: Int?
  /// The active targets, in the order in which they became active: X_SYSTEMD_UNIT_ACTIVE=, X_SYSTEMD_UNIT_INACTIVE=.
  public var units: [String] = []
  /// The guest's failed units, by the last answer of its systemd.
  public var failedUnits: [FailedUnit] = []
  /// X_SYSTEMD_SHUTDOWN=: `poweroff`, `halt`, `reboot`, `kexec`, `exit`.
  @OrNull public var shutdown: String?
  /// X_SYSTEMD_REBOOT_PARAMETER=.
  @OrNull public var rebootParameter: String?
  /// EXIT_STATUS=.
  @OrNull public var exitStatus: Int32?
  /// ERRNO=.
  @OrNull public var errno: Int32?

  public init() {}
}
