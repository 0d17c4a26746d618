/// Everything that is known about one guest: the reply to `Status`.
public struct GuestStatus: Codable, Equatable, Sendable {
  /// The name of the guest file without `.guest`.
  public let name: String
  /// systemd's word for the state it is in.
  public let state: GuestState
  /// When it came into this state.
  public let since: Timestamp
  /// How many connections it has, including those in an accept queue.
  public var connections = 0
  /// How often it was started since the daemon started.
  public var wakes = 0
  /// The process ID of its PID 1 on the host.
  @OrNull public var pid: Int32?
  /// The directory of its cgroup.
  @OrNull public var cgroup: String?
  /// The resource limits in force; empty while no instance of the guest runs.
  public var limits: [LimitStatus] = []
  /// The files that configure it, lowest precedence first: a `.nspawn` file, the guest file, its drop-ins.
  public let files: [String]
  /// Its sockets, in the order of its files.
  public var sockets: [SocketStatus] = []
  /// How it was last started; null before the first start since the daemon started.
  @OrNull public var lastWake: WakeReport?
  /// How it last ended; null before the first stop since the daemon started.
  @OrNull public var lastStop: StopReport?
  /// In the state `failed`: until when connections do not start it.
  @OrNull public var retryAt: Timestamp?
  /// When it will be stopped if nobody uses it until then.
  @OrNull public var stopAt: Timestamp?
  /// What the PID 1 of this instance sent to its notify socket or, while none runs, that of the last one.
  @OrNull public var report: GuestReport?
  /// What an administrator should look at, oldest first.
  public var messages: [GuestMessage] = []
  /// What happened since the daemon started.
  public var counters = GuestCounters()
  /// The end of its console output, at most 64 KiB; null unless the call requests it.
  @OrNull public var console: String?

  public init(name: String, state: GuestState, since: Timestamp, files: [String] = []) {
    self.name = name
    self.state = state
    self.since = since
    self.files = files
  }

  /// The same guest as an element of a list.
  public var summary: GuestSummary {
    var summary = GuestSummary(name: name, state: state, since: since)
    summary.sockets = sockets.map(\.address)
    summary.connections = connections
    summary.wakes = wakes
    summary.pid = pid
    return summary
  }
}

/// A resource limit of a running guest.
public struct LimitStatus: Codable, Equatable, Sendable {
  /// The name of the setting, without its `=`.
  public var setting: String
  /// The value in the kernel's file of the cgroup: `1073741824`, `max`.
  public var value: String
  /// Whether it is the default, because the guest's file does not have the setting.
  public var isDefault: Bool

  public init(setting: String, value: String, isDefault: Bool) {
    (self.setting, self.value, self.isDefault) = (setting, value, isDefault)
  }
}

/// A listening or datagram socket of a guest.
public struct SocketStatus: Codable, Equatable, Sendable {
  /// Written as in systemd.socket(5).
  public var address: String
  /// The kind, by its `Listen…=`.
  public var kind: SocketType
  /// The name under which the guest gets it (`FileDescriptorName=`).
  public var name: String
  /// The number in /proc/PID/fd and in ss(8).
  @OrNull public var inode: UInt64?
  /// Whether the service manager passed it to the daemon; false: the daemon has bound it.
  public var passed = false
  /// Whether the running guest has it open; null when no guest runs or that is not known yet.
  @OrNull public var adopted: Bool?
  /// Why no process serves this socket; null while one does, while the guest does not run, and while it is not known yet.
  @OrNull public var unserved: UnservedSocket?
  /// How many connections, or bytes of datagrams, no process has taken yet.
  @OrNull public var queued: Int?

  public init(address: String, kind: SocketType, name: String) {
    self.address = address
    self.kind = kind
    self.name = name
  }
}

/// The three kinds of systemd.socket(5).
public enum SocketType: ExtensibleEnum {
  case stream, datagram, sequentialPacket
  /// A kind that this version does not know.
  case unrecognized(String)

  public static let known: [SocketType] = [.stream, .datagram, .sequentialPacket]

  public var rawValue: String {
    switch self {
    case .stream: "stream"
    case .datagram: "datagram"
    case .sequentialPacket: "sequentialPacket"
    case .unrecognized(let word): word
    }
  }
}

/// Something about a guest that an administrator should look at: a socket that the guest did not take, a unit that disagrees.
public struct GuestMessage: Codable, Equatable, Sendable {
  /// When it was found.
  public var at: Timestamp
  /// How severe it is.
  public var level: MessageLevel
  /// One sentence, without the guest's name.
  public var text: String

  public init(at: Timestamp, level: MessageLevel, text: String) {
    self.at = at
    self.level = level
    self.text = text
  }
}

/// How severe a message is.
public enum MessageLevel: ExtensibleEnum {
  /// Normal, but worth knowing.
  case note
  case warning, error
  /// A level that this version does not know.
  case unrecognized(String)

  public static let known: [MessageLevel] = [.note, .warning, .error]

  public var rawValue: String {
    switch self {
    case .note: "note"
    case .warning: "warning"
    case .error: "error"
    case .unrecognized(let word): word
    }
  }
}
