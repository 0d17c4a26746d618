/// All that is known of one guest: the reply to `Status`.
public struct GuestStatus: Codable, Equatable, Sendable {
  /// The guest file's name without `.guest`.
  public var name: String
  /// systemd's word for where it is in its life.
  public var state: GuestState
  /// When it came into this state.
  public var since: Timestamp
  /// How many connections it has, those that wait in an accept queue included.
  public var connections = 0
  /// How often it was started since the daemon was.
  public var wakes = 0
  /// The host's number of the guest's PID 1.
  @OrNull public var pid: Int32?
  /// The directory of its cgroup 2.
  @OrNull public var cgroup: String?
  /// The files it was read from, lowest precedence first: a `.nspawn` file, the guest file, its drop-ins.
  public var files: [String] = []
  /// What is held for it, in the order of its files.
  public var sockets: [SocketStatus] = []
  /// How it was woken last; null before the first time since the daemon was started.
  @OrNull public var lastWake: WakeReport?
  /// How it ended last; null as well before that.
  @OrNull public var lastStop: StopReport?
  /// When state is `failed`: until when no connection wakes it.
  @OrNull public var retryAt: Timestamp?
  /// When it will be stopped, if nothing uses it until then.
  @OrNull public var stopAt: Timestamp?
  /// What its PID 1 said on the notify socket, in this run or, asleep, in the last one.
  @OrNull public var report: GuestReport?
  /// What somebody ought to look at, oldest first.
  public var messages: [GuestMessage] = []
  /// How often things happened since the daemon was started.
  public var counters = GuestCounters()
  /// The end of what it wrote on its console, at most 64 KiB; null unless it was asked for.
  @OrNull public var console: String?

  public init(name: String, state: GuestState, since: Timestamp) {
    self.name = name
    self.state = state
    self.since = since
  }

  /// What the list says of the same guest.
  public var summary: GuestSummary {
    var summary = GuestSummary(name: name, state: state, since: since)
    summary.sockets = sockets.map(\.address)
    summary.connections = connections
    summary.wakes = wakes
    summary.pid = pid
    return summary
  }
}

/// One of the listening or datagram sockets that are held for a guest.
public struct SocketStatus: Codable, Equatable, Sendable {
  /// As systemd.socket(5) writes it.
  public var address: String
  /// By its `Listen…=`.
  public var kind: SocketType
  /// The name it is passed by (`FileDescriptorName=`).
  public var name: String
  /// Its number in /proc/PID/fd and in ss(8).
  @OrNull public var inode: UInt64?
  /// Taken from the service manager that started the daemon; false: bound by the daemon itself.
  public var passed = false
  /// Whether the running guest keeps it open; null when none runs or that is not known yet.
  @OrNull public var adopted: Bool?
  /// Connections (of a datagram socket: bytes) that nobody took yet.
  @OrNull public var queued: Int?

  public init(address: String, kind: SocketType, name: String) {
    self.address = address
    self.kind = kind
    self.name = name
  }
}

/// The three kinds of systemd.socket(5).
public enum SocketType: String, Codable, CaseIterable, Sendable {
  case stream, datagram, sequentialPacket
}

/// Something about a guest that somebody ought to look at: a listener that was not adopted, a unit that disagrees.
public struct GuestMessage: Codable, Equatable, Sendable {
  /// When it was said.
  public var at: Timestamp
  /// How bad it is.
  public var level: MessageLevel
  /// One sentence, without the guest's name.
  public var text: String

  public init(at: Timestamp, level: MessageLevel, text: String) {
    self.at = at
    self.level = level
    self.text = text
  }
}

/// How bad it is.
public enum MessageLevel: String, Codable, CaseIterable, Sendable {
  case warning, error
}

/// How many connections or datagrams were lost for one reason.
public struct LossCount: Codable, Equatable, Sendable {
  /// Why they were lost.
  public var reason: LossReason
  /// How many, since the daemon was started.
  public var count: Int

  public init(reason: LossReason, count: Int) {
    self.reason = reason
    self.count = count
  }
}

/// Why a connection or a datagram was lost.
public enum LossReason: String, Codable, CaseIterable, Sendable {
  /// Nobody in the guest took the listener it came to: it was closed.
  case notAdopted
  /// A datagram that had waited apart could not be put back.
  case notUnparked
  /// A guest on its way out ended it without a byte from its side (TCP).
  case unanswered
  /// It was open when the guest was killed, which had not ended within TimeoutStopSec=.
  case killed
}

/// How often things happened since the daemon was started.
public struct GuestCounters: Codable, Equatable, Sendable {
  /// Starts that did not reach readiness.
  public var failedWakes = 0
  /// Times that it was frozen.
  public var freezes = 0
  /// Runs that ended, in whatever way.
  public var stops = 0
  /// Stops that ran into TimeoutStopSec= and were ended by SIGKILL.
  public var kills = 0
  /// Runs that ended although nobody had asked for it, and not by the guest's own shutdown.
  public var crashes = 0
  /// Times that the guest asked for a reboot and was started again.
  public var reboots = 0
  /// Connections that were closed instead of served: they came to a socket that the guest did not take.
  public var connectionsRefused = 0
  /// Connections that the guest has had; of AF_UNIX, where the kernel tells of no end, one that came and went between two looks is not
  /// among them.
  public var accepted = 0
  /// Of these, those of TCP that came to their end without a byte from the guest: it had nothing to say, or had no time to.
  public var unanswered = 0
  /// Connections and datagrams that waited already when a start made the guest that serves them.
  public var handedOver = 0
  /// Connections and datagrams that came while a guest was on its way out, and waited for the next one.
  public var parked = 0
  /// Of those that were kept apart for a stop, how many came to the same guest because it was cancelled.
  public var unparked = 0
  /// Connections and datagrams that were queued at a guest on its way out, where the kernel cannot move them, and went with it: it may have
  /// served them yet, or closed them.
  public var undrained = 0
  /// Connections and datagrams that were lost, by the reason.
  public var lost: [LossCount] = []
  /// Messages on the notify socket that did not come from the guest's PID 1.
  public var notifyRefused = 0
  /// Processes of the guest that the kernel killed for want of memory.
  public var memoryKills = 0

  public init() {}
}
