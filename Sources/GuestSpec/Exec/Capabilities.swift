/// A set of capabilities(7), as a mask of their numbers.
public struct Capabilities: OptionSet, Hashable, Sendable {
  public let rawValue: UInt64

  public init(rawValue: UInt64) { self.rawValue = rawValue }

  public init(_ numbers: [UInt64]) { rawValue = numbers.reduce(0) { $0 | 1 << $1 } }

  /// All capabilities, including those of future kernels.
  public static let all = Capabilities(rawValue: .max)

  /// The names of linux/capability.h: the index of a name is its number.
  static let names = [
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
    "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
    "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
    "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
    "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
    "CHECKPOINT_RESTORE",
  ].map { "CAP_" + $0 }

  /// Looks up a name such as `CAP_CHOWN`, in upper or lower case; nil when there is no such capability.
  init?(name: String) {
    guard let number = Self.names.firstIndex(of: name.uppercased()) else { return nil }
    self.init([UInt64(number)])
  }

  /// The names of the members that have a name.
  public var names: [String] {
    Self.names.enumerated().filter { rawValue >> UInt64($0.offset) & 1 == 1 }.map(\.element)
  }

  /// CAP_SYS_ADMIN.
  public static let sysAdmin = Capabilities([21])
  /// CAP_NET_ADMIN.
  public static let networkAdministration = Capabilities([12])
  /// CAP_AUDIT_WRITE, CAP_AUDIT_CONTROL and CAP_AUDIT_READ, which a container should not have according to the Container Interface.
  public static let audit = Capabilities([29, 30, 37])
}

/// A word of `Capability=` or `DropCapability=`.
public enum CapabilityChoice: Hashable, Sendable {
  case all
  case one(Capabilities)
}
