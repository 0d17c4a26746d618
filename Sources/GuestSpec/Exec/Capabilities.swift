/// A set of capabilities(7), by their numbers.
public struct Capabilities: OptionSet, Hashable, Sendable {
  public let rawValue: UInt64

  public init(rawValue: UInt64) { self.rawValue = rawValue }

  public init(_ numbers: [UInt64]) { rawValue = numbers.reduce(0) { $0 | 1 << $1 } }

  /// Those that the kernel has, and those that it will have.
  public static let all = Capabilities(rawValue: .max)

  /// linux/capability.h: a name's place is its number.
  static let names = [
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
    "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
    "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
    "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
    "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
    "CHECKPOINT_RESTORE",
  ].map { "CAP_" + $0 }

  /// `CAP_CHOWN`, in any case of letters; nil when there is none of that name.
  init?(name: String) {
    guard let number = Self.names.firstIndex(of: name.uppercased()) else { return nil }
    self.init([UInt64(number)])
  }

  /// The names of its members, those that have one.
  public var names: [String] {
    Self.names.enumerated().filter { rawValue >> UInt64($0.offset) & 1 == 1 }.map(\.element)
  }

  /// CAP_SYS_ADMIN.
  public static let sysAdmin = Capabilities([21])
  /// CAP_NET_ADMIN.
  public static let networkAdministration = Capabilities([12])
  /// CAP_AUDIT_WRITE, CAP_AUDIT_CONTROL and CAP_AUDIT_READ, which the Container Interface tells managers not to give.
  public static let audit = Capabilities([29, 30, 37])
}

/// A word of `Capability=` or `DropCapability=`.
public enum CapabilityChoice: Hashable, Sendable {
  case all
  case one(Capabilities)
}
