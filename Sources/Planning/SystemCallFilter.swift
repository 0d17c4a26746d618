import GuestSpec

/// A seccomp(2) filter as a value: which system call gets which action. Where several filters are installed, a call needs all to allow it.
public struct SystemCallFilter: Hashable, Sendable {
  /// The action for calls that no rule names, those of future kernels included.
  public var otherwise: Action
  /// The actions for named calls.
  public var rules: [Rule] = []

  /// What the kernel does with a call.
  public enum Action: Hashable, Sendable {
    case allow
    /// Fails with EPERM.
    case refuse
    /// Fails with ENOSYS, as on a kernel without the call. A libc then falls back to an older call.
    case deny
    /// Fails with EAFNOSUPPORT, as on a kernel without this address family.
    case noFamily
    /// Fails with EINVAL.
    case invalid
    /// Does nothing and succeeds.
    case pretend
  }

  /// The action for some calls.
  public struct Rule: Hashable, Sendable {
    /// The names of the calls. Names that the architecture or libseccomp does not know are skipped.
    public var calls: Set<String>
    /// The action.
    public var action: Action
    /// The rule applies if all of these are true.
    public var conditions: [Condition]
    /// Whether the rule applies too where a filter cannot read the arguments (socketcall(2) of 32-bit x86), whatever they are.
    public var holdsUnseen: Bool

    public init(_ action: Action, _ calls: Set<String>, if conditions: [Condition] = [], holdsUnseen: Bool = false) {
      self.calls = calls
      self.action = action
      self.conditions = conditions
      self.holdsUnseen = holdsUnseen
    }
  }

  /// A condition for an argument; arguments count from 0.
  public enum Condition: Hashable, Sendable {
    /// The argument's bits in `mask` equal `value`.
    case bits(argument: UInt32, mask: UInt64, value: UInt64)
    case above(argument: UInt32, value: UInt64)
  }

  public init(otherwise: Action) { self.otherwise = otherwise }
}

/// The system calls that a guest's programs may make.
extension SystemCallFilter {
  /// The filters in the order in which they are installed. `kept` are the guest's capabilities.
  static func all(of guest: Guest, _ facts: StartFacts, _ kept: Capabilities) -> [SystemCallFilter] {
    [allowList(guest, kept), refusals(guest, kept)].filter { !$0.rules.isEmpty }
  }

  /// systemd-nspawn's list without io_uring, with the guest's `SystemCallFilter=` added and subtracted. Other known calls fail with EPERM,
  /// as those of io_uring do where the sysctl kernel.io_uring_disabled forbids them. Unknown, newer calls fail with ENOSYS, so that a libc
  /// falls back to older ones.
  private static func allowList(_ guest: Guest, _ kept: Capabilities) -> SystemCallFilter {
    var allowed = calls
    for (capability, calls) in privileged where kept.contains(Capabilities([capability])) {
      for call in calls { allowed.formUnion(SystemCalls.group(call) ?? [call]) }
    }
    for choice in guest.exec.sandbox.systemCalls where choice.isAllowed {
      allowed.formUnion(SystemCalls.group(choice.name) ?? [choice.name])
    }
    for choice in guest.exec.sandbox.systemCalls where !choice.isAllowed {
      allowed.subtract(SystemCalls.group(choice.name) ?? [choice.name])
    }
    // io_uring can make sockets (IORING_OP_SOCKET), and a seccomp filter does not see that.
    if guest.exec.sandbox.families != nil { allowed.subtract(SystemCalls.rings) }
    var filter = SystemCallFilter(otherwise: .deny)
    filter.rules = [.init(.allow, allowed), .init(.refuse, SystemCalls.known.subtracting(allowed))]
    return filter
  }

  private static func refusals(_ guest: Guest, _ kept: Capabilities) -> SystemCallFilter {
    var filter = SystemCallFilter(otherwise: .allow)
    let families = guest.exec.sandbox.families ?? .usual
    let hasNetlink = families.contains(AddressFamilies.netlink)
    if kept.isDisjoint(with: .audit), hasNetlink {
      // The audit subsystem is the host's. With EAFNOSUPPORT a program assumes a kernel without audit, and runs without it.
      filter.rules.append(
        .init(
          .noFamily, ["socket"],
          if: [family(AddressFamilies.netlink), .bits(argument: 2, mask: int, value: auditProtocol)]))
    }
    filter.rules += rules(families, holdUnseen: guest.exec.sandbox.families != nil || !mayMultiplex(guest.exec))
    if guest.exec.sandbox.suppressSync { filter.rules += withoutSync }
    return filter
  }

  /// Whether the default families may be circumvented by socketcall(2), with which 32-bit x86 programs make sockets: a filter cannot read
  /// its arguments. Only a guest whose file asks for such programs may.
  private static func mayMultiplex(_ exec: ExecSettings) -> Bool {
    exec.process.personality == .x86 || exec.sandbox.systemCalls.contains(.init("socketcall", isAllowed: true))
  }

  private static func rules(_ families: AddressFamilies, holdUnseen: Bool) -> [Rule] {
    // The kernel has fewer families than this. The numbers above are not in use.
    let last: UInt16 = 63
    var rules = (0...last).filter { !families.contains($0) }.map {
      Rule(.noFamily, ["socket"], if: [family($0)], holdsUnseen: holdUnseen)
    }
    if families.isAllowList {
      rules.append(
        .init(.noFamily, ["socket"], if: [.above(argument: 0, value: UInt64(last))], holdsUnseen: holdUnseen))
    }
    return rules
  }

  /// The kernel reads 32 bits of the argument and ignores the others.
  private static func family(_ number: UInt16) -> Condition {
    .bits(argument: 0, mask: int, value: UInt64(number))
  }

  private static let int: UInt64 = 0xffff_ffff
  /// NETLINK_AUDIT.
  private static let auditProtocol: UInt64 = 9
  /// O_DSYNC, whose bit O_SYNC contains.
  private static let synchronous: UInt64 = 0o10000

  private static let withoutSync: [Rule] = [
    .init(.pretend, ["fdatasync", "fsync", "msync", "sync", "sync_file_range", "sync_file_range2", "syncfs"]),
    .init(.invalid, ["open"], if: [.bits(argument: 1, mask: synchronous, value: synchronous)]),
    .init(.invalid, ["openat"], if: [.bits(argument: 2, mask: synchronous, value: synchronous)]),
    // Its flags are in memory, which a filter cannot read. With ENOSYS programs fall back to openat(2).
    .init(.deny, ["openat2"]),
  ]

  /// The groups that every guest may use.
  private static let groups = [
    "@aio", "@basic-io", "@chown", "@default", "@file-system", "@io-event", "@ipc", "@mount", "@network-io", "@process",
    "@resources", "@setuid", "@signal", "@sync", "@timer",
  ]

  private static let calls = groups.reduce(into: ungrouped) { $0.formUnion(SystemCalls.group($1) ?? []) }
    .subtracting(SystemCalls.rings)

  private static let ungrouped: Set = [
    "brk", "cachestat", "capget", "capset", "copy_file_range", "fadvise64", "fadvise64_64", "flock", "get_mempolicy",
    "getcpu", "getpriority", "getrandom", "ioctl", "ioprio_get", "kcmp", "madvise", "mincore", "mprotect", "mremap",
    "name_to_handle_at", "oldolduname", "olduname", "personality", "readahead", "readdir", "remap_file_pages",
    "sched_get_priority_max", "sched_get_priority_min", "sched_getaffinity", "sched_getattr", "sched_getparam",
    "sched_getscheduler", "sched_rr_get_interval", "sched_rr_get_interval_time64", "sched_yield", "seccomp", "sendfile",
    "sendfile64", "setdomainname", "setfsgid", "setfsgid32", "setfsuid", "setfsuid32", "sethostname", "setpgid",
    "setsid", "splice", "sysinfo", "tee", "umask", "uname", "userfaultfd", "vmsplice",
  ]

  /// The calls that a guest may make if it has the capability of this number.
  private static let privileged: [(UInt64, [String])] = [
    (14, ["@memlock"]), (16, ["@module"]), (17, ["@raw-io"]), (25, ["@clock"]),
    (19, ["process_vm_readv", "process_vm_writev", "ptrace"]), (20, ["acct"]), (22, ["reboot"]), (26, ["vhangup"]),
    (34, ["syslog"]), (39, ["bpf"]),
  ]
}
