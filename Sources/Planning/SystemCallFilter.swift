import GuestSpec

/// A program of seccomp(2) as a value: what becomes of which call. Where several filters are installed, all have to allow a call.
public struct SystemCallFilter: Hashable, Sendable {
  /// For the calls that no rule names, those of kernels to come among them.
  public var otherwise: Action
  /// For the calls that they name.
  public var rules: [Rule] = []

  /// What becomes of a call.
  public enum Action: Hashable, Sendable {
    case allow
    /// EPERM.
    case refuse
    /// ENOSYS: as on a kernel that does not have it, for which every program has another way.
    case deny
    /// EAFNOSUPPORT: as on a kernel without this kind of socket.
    case noFamily
    /// EINVAL.
    case invalid
    /// Nothing is done, and it succeeds.
    case pretend
  }

  /// What becomes of some calls.
  public struct Rule: Hashable, Sendable {
    /// By their names. A kernel, an architecture or a libseccomp that does not know one leaves it out.
    public var calls: Set<String>
    /// What becomes of them.
    public var action: Action
    /// All have to hold.
    public var conditions: [Condition]
    /// Also where the arguments cannot be seen (socketcall(2) of 32-bit x86): then whatever they are.
    public var holdsUnseen: Bool

    public init(_ action: Action, _ calls: Set<String>, if conditions: [Condition] = [], holdsUnseen: Bool = false) {
      self.calls = calls
      self.action = action
      self.conditions = conditions
      self.holdsUnseen = holdsUnseen
    }
  }

  /// Of an argument, counted from 0.
  public enum Condition: Hashable, Sendable {
    /// The bits of `mask` are those of `value`.
    case bits(argument: UInt32, mask: UInt64, value: UInt64)
    case above(argument: UInt32, value: UInt64)
  }

  public init(otherwise: Action) { self.otherwise = otherwise }
}

/// What a guest's programs may ask of the kernel.
extension PlanBuilder {
  /// The programs, in the order they are installed; `kept` are the guest's capabilities.
  func systemCallFilters(_ kept: Capabilities) -> [SystemCallFilter] {
    [allowList(kept), refusals(kept)].filter { !$0.rules.isEmpty }
  }

  /// systemd-nspawn's list, and what the guest's file adds and takes away. Whatever else is a call of today is not permitted; a call of
  /// tomorrow does not exist, so that a libc goes on to an older one.
  private func allowList(_ kept: Capabilities) -> SystemCallFilter {
    var allowed = Self.calls
    for (capability, calls) in Self.privileged where kept.contains(Capabilities([capability])) {
      for call in calls { allowed.formUnion(SystemCalls.group(call) ?? [call]) }
    }
    // Keyrings belong to a user namespace. Without one of its own, root's in the guest are root's of the host.
    if facts.users != nil { allowed.formUnion(SystemCalls.group("@keyring") ?? []) }
    for choice in guest.exec.systemCalls where choice.isAllowed {
      allowed.formUnion(SystemCalls.group(choice.name) ?? [choice.name])
    }
    for choice in guest.exec.systemCalls where !choice.isAllowed {
      allowed.subtract(SystemCalls.group(choice.name) ?? [choice.name])
    }
    var filter = SystemCallFilter(otherwise: .deny)
    filter.rules = [.init(.allow, allowed), .init(.refuse, SystemCalls.known.subtracting(allowed))]
    return filter
  }

  private func refusals(_ kept: Capabilities) -> SystemCallFilter {
    var filter = SystemCallFilter(otherwise: .allow)
    let families = guest.exec.families
    let hasNetlink = families?.contains(AddressFamilies.netlink) ?? true
    if kept.isDisjoint(with: .audit), hasNetlink {
      // The audit is the host's. Who makes no such socket takes it that the kernel has none, and goes on without.
      filter.rules.append(
        .init(
          .noFamily, ["socket"],
          if: [Self.family(AddressFamilies.netlink), .bits(argument: 2, mask: Self.int, value: Self.auditProtocol)]))
    }
    if let families { filter.rules += Self.rules(families) }
    if guest.exec.suppressSync { filter.rules += Self.withoutSync }
    return filter
  }

  private static func rules(_ families: AddressFamilies) -> [SystemCallFilter.Rule] {
    // The kernel has fewer, and what is above is none of today's.
    let last: UInt16 = 63
    var rules = (0...last).filter { !families.contains($0) }.map {
      SystemCallFilter.Rule(.noFamily, ["socket"], if: [family($0)], holdsUnseen: true)
    }
    if families.isAllowList {
      rules.append(
        .init(.noFamily, ["socket"], if: [.above(argument: 0, value: UInt64(last))], holdsUnseen: true))
    }
    return rules
  }

  /// The kernel takes 32 bits of it, whatever stands above them.
  private static func family(_ number: UInt16) -> SystemCallFilter.Condition {
    .bits(argument: 0, mask: int, value: UInt64(number))
  }

  private static let int: UInt64 = 0xffff_ffff
  /// NETLINK_AUDIT.
  private static let auditProtocol: UInt64 = 9
  /// O_DSYNC, which is in O_SYNC as well.
  private static let synchronous: UInt64 = 0o10000

  private static let withoutSync: [SystemCallFilter.Rule] = [
    .init(.pretend, ["fdatasync", "fsync", "msync", "sync", "sync_file_range", "sync_file_range2", "syncfs"]),
    .init(.invalid, ["open"], if: [.bits(argument: 1, mask: synchronous, value: synchronous)]),
    .init(.invalid, ["openat"], if: [.bits(argument: 2, mask: synchronous, value: synchronous)]),
    // Its flags are in memory, where no filter looks. Programs go on to openat(2).
    .init(.deny, ["openat2"]),
  ]

  /// Of each guest.
  private static let groups = [
    "@aio", "@basic-io", "@chown", "@default", "@file-system", "@io-event", "@ipc", "@mount", "@network-io", "@process",
    "@resources", "@setuid", "@signal", "@sync", "@timer",
  ]

  private static let calls = groups.reduce(into: ungrouped) { $0.formUnion(SystemCalls.group($1) ?? []) }

  private static let ungrouped: Set = [
    "brk", "cachestat", "capget", "capset", "copy_file_range", "fadvise64", "fadvise64_64", "flock", "get_mempolicy",
    "getcpu", "getpriority", "getrandom", "ioctl", "ioprio_get", "kcmp", "madvise", "mincore", "mprotect", "mremap",
    "name_to_handle_at", "oldolduname", "olduname", "personality", "readahead", "readdir", "remap_file_pages",
    "sched_get_priority_max", "sched_get_priority_min", "sched_getaffinity", "sched_getattr", "sched_getparam",
    "sched_getscheduler", "sched_rr_get_interval", "sched_rr_get_interval_time64", "sched_yield", "seccomp", "sendfile",
    "sendfile64", "setdomainname", "setfsgid", "setfsgid32", "setfsuid", "setfsuid32", "sethostname", "setpgid",
    "setsid", "splice", "sysinfo", "tee", "umask", "uname", "userfaultfd", "vmsplice",
  ]

  /// With the capability of this number.
  private static let privileged: [(UInt64, [String])] = [
    (14, ["@memlock"]), (16, ["@module"]), (17, ["@raw-io"]), (25, ["@clock"]),
    (19, ["process_vm_readv", "process_vm_writev", "ptrace"]), (20, ["acct"]), (22, ["reboot"]), (26, ["vhangup"]),
    (34, ["syslog"]), (39, ["bpf"]),
  ]
}
