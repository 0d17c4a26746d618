/// A set of capabilities(7), by their numbers.
public struct Capabilities: OptionSet, Hashable, Sendable {
  public let rawValue: UInt64

  public init(rawValue: UInt64) { self.rawValue = rawValue }

  private init(_ numbers: [UInt64]) { rawValue = numbers.reduce(0) { $0 | 1 << $1 } }

  /// What a guest keeps: systemd-nspawn's set without CAP_AUDIT_CONTROL and CAP_AUDIT_WRITE, which the Container Interface forbids.
  ///
  /// Left out because they reach the host without user namespaces: SYS_MODULE, SYS_RAWIO, SYS_TIME, SYSLOG, SYS_PACCT, IPC_LOCK,
  /// MAC_ADMIN, MAC_OVERRIDE, WAKE_ALARM, BLOCK_SUSPEND, AUDIT_READ, PERFMON, BPF, CHECKPOINT_RESTORE.
  public static let guest = Capabilities([
    0,  // CHOWN
    1,  // DAC_OVERRIDE
    2,  // DAC_READ_SEARCH
    3,  // FOWNER
    4,  // FSETID
    5,  // KILL
    6,  // SETGID
    7,  // SETUID
    8,  // SETPCAP
    9,  // LINUX_IMMUTABLE
    10,  // NET_BIND_SERVICE
    11,  // NET_BROADCAST
    13,  // NET_RAW
    15,  // IPC_OWNER
    18,  // SYS_CHROOT
    19,  // SYS_PTRACE
    21,  // SYS_ADMIN: the interface wants it kept
    22,  // SYS_BOOT: how systemd-shutdown ends its namespace
    23,  // SYS_NICE
    24,  // SYS_RESOURCE
    26,  // SYS_TTY_CONFIG
    27,  // MKNOD: the interface wants it kept
    28,  // LEASE
    31,  // SETFCAP
  ])

  /// Only where the network namespace is the guest's own.
  public static let networkAdministration = Capabilities([12])
}
