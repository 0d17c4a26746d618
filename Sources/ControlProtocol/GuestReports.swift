/// How a guest was woken, and how long each part took.
public struct WakeReport: Codable, Equatable, Sendable {
  /// What woke it.
  public var cause: WakeCause
  /// The address whose connection or datagram it was.
  @OrNull public var socket: String?
  /// When the daemon learnt of it: the moment that all of the following are measured from.
  public var at: Timestamp
  /// Milliseconds until PID 1 was executed.
  @OrNull public var startedMs: Double?
  /// Milliseconds until PID 1 had its signal handlers; null for a systemd before 256, which does not say so.
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

/// What a guest was woken by.
public enum WakeCause: String, Codable, CaseIterable, Sendable {
  /// A connection or a datagram on one of its sockets.
  case connection
  /// `Wake`.
  case request
  /// The guest's own reboot.
  case reboot

  /// As log and `dormouse status` have it.
  public var words: String {
    switch self {
    case .connection: "a connection"
    case .request: "a request"
    case .reboot: "its own reboot"
    }
  }
}

/// How a guest came to its end.
public struct StopReport: Codable, Equatable, Sendable {
  /// Why it was stopped, or ended.
  public var cause: StopCause
  /// When it was asked to halt or, when nobody had asked, when it was gone.
  public var at: Timestamp
  /// Milliseconds from there until it was gone; null as long as it is not, and when nobody had asked.
  @OrNull public var tookMs: Double?
  /// It did not halt by itself and was ended by SIGKILL.
  public var killed = false
  /// PID 1's exit status, when it exited.
  @OrNull public var exitStatus: Int32?
  /// The signal PID 1 died of: `SIGINT` is how the kernel reports a halt, `SIGHUP` a reboot.
  @OrNull public var signal: String?
  /// What the guest's PID 1 said to the next one when it rebooted (`systemctl reboot --reboot-argument=`).
  @OrNull public var rebootParameter: String?

  public init(cause: StopCause, at: Timestamp) {
    self.cause = cause
    self.at = at
  }
}

/// Why a guest came to its end.
public enum StopCause: String, Codable, CaseIterable, Sendable {
  /// Nobody used it for IdleStopSec=.
  case idle
  /// `Sleep`.
  case request
  /// It powered itself off, or its payload ended without an error.
  case shutdown
  /// It rebooted itself.
  case reboot
  /// It ended in another way, unasked.
  case crash
  /// It was not ready by TimeoutStartSec=.
  case startTimeout
  /// It let go of a socket at which clients waited.
  case listenerClosed
  /// Clients waited at a socket that only the next run has.
  case parkedTooLong
  /// The daemon itself was told to stop, or an earlier one left it.
  case daemon
  /// Its guest file was removed.
  case configuration

  /// As log and `dormouse status` have it.
  public var words: String {
    switch self {
    case .idle: "nobody used it"
    case .request: "asked for"
    case .shutdown: "its own shutdown"
    case .reboot: "its own reboot"
    case .crash: "it crashed"
    case .startTimeout: "it was not ready within TimeoutStartSec="
    case .parkedTooLong: "clients waited whom only its next run could serve"
    case .listenerClosed: "it let go of a socket at which clients waited"
    case .daemon: "the daemon ends, or an earlier one left it"
    case .configuration: "its file is gone"
    }
  }
}

/// What a guest's PID 1 said on the notify socket (sd_notify(3) and the X_SYSTEMD_ fields of systemd(1)).
public struct GuestReport: Codable, Equatable, Sendable {
  /// READY=1 was said.
  public var ready = false
  /// RELOADING=1 was said, and READY=1 not yet again.
  public var reloading = false
  /// STATUS=.
  @OrNull public var status: String?
  /// The unit whose start or stop systemd waits for, by STATUS=.
  @OrNull public var reaching: String?
  /// Where its SSH server listens on this host, by systemd-ssh-proxy(1)'s notation; null until it has said that one can log in.
  @OrNull public var sshAddress: String?
  /// X_SYSTEMD_HOSTNAME=.
  @OrNull public var hostname: String?
  /// X_SYSTEMD_MACHINE_ID=.
  @OrNull public var machineID: String?
  /// X_SYSTEMD_SIGNALS_LEVEL=.
  @OrNull public var signalsLevel: Int?
  /// The targets that X_SYSTEMD_UNIT_ACTIVE= named and X_SYSTEMD_UNIT_INACTIVE= did not since, in the order reached.
  public var units: [String] = []
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
