import CLinux
import CSeccomp
import Glibc

/// A seccomp(2) program that libseccomp compiles: rules for the system calls of this machine, and for those of the 32-bit architecture
/// whose programs its kernel can run. No distribution uses x32, so its calls are treated as those of an unknown architecture.
public struct SystemCallProgram: ~Copyable {
  /// One context for each architecture until they are merged.
  private let contexts: [Context]
  private var rules: [Rule] = []

  private struct Rule {
    let action: Action
    let call: String
    let comparisons: [scmp_arg_cmp]
    let holdsUnseen: Bool
  }

  /// What the kernel does with a call. `fail` returns an errno(3), or 0 as if the call had succeeded.
  public enum Action {
    case allow
    case fail(Int32)

    fileprivate var code: UInt32 {
      switch self {
      case .allow: dormouse_action_allow
      case .fail(let error): dormouse_action_errno(error)
      }
    }
  }

  /// A condition on an argument, counted from 0: `argument & mask == value`, or without a mask `argument > value`.
  public struct Condition {
    let argument: UInt32
    let mask: UInt64?
    let value: UInt64

    public init(argument: UInt32, mask: UInt64?, value: UInt64) {
      self.argument = argument
      self.mask = mask
      self.value = value
    }

    fileprivate var comparison: scmp_arg_cmp {
      if let mask { return scmp_arg_cmp(arg: argument, op: SCMP_CMP_MASKED_EQ, datum_a: mask, datum_b: value) }
      return scmp_arg_cmp(arg: argument, op: SCMP_CMP_GT, datum_a: value, datum_b: 0)
    }
  }

  private final class Context {
    let raw: scmp_filter_ctx
    private let architecture: UInt32
    private var isMerged = false

    init(_ architecture: UInt32, _ otherwise: Action) throws(SystemError) {
      guard let raw = seccomp_init(otherwise.code) else { throw SystemError("seccomp_init", errno: ENOMEM) }
      self.raw = raw
      self.architecture = architecture
      if architecture != seccomp_arch_native() {
        try Self.check("seccomp_arch_remove", seccomp_arch_remove(raw, seccomp_arch_native()))
        try Self.check("seccomp_arch_add", seccomp_arch_add(raw, architecture))
      }
      // A binary tree of rules: a call costs the logarithm of their number.
      try Self.check("seccomp_attr_set", seccomp_attr_set(raw, SCMP_FLTATR_CTL_OPTIMIZE, 2))
      try Self.check("seccomp_attr_set", seccomp_attr_set(raw, SCMP_FLTATR_ACT_BADARCH, otherwise.code))
    }

    deinit { if !isMerged { seccomp_release(raw) } }

    /// Adds the rules sorted by call number, which is how libseccomp stores them: unsorted, adding takes ten times as long.
    func add(_ rules: [Rule]) throws(SystemError) {
      let order = rules.indices.map { (seccomp_syscall_resolve_name_arch(architecture, rules[$0].call), $0) }
      for (_, index) in order.sorted(by: <) { try add(rules[index]) }
    }

    private func add(_ rule: Rule) throws(SystemError) {
      // The number of the call, or one of libseccomp's own for a call of another architecture. -1: libseccomp does not know the call.
      let number = seccomp_syscall_resolve_name(rule.call)
      if number == -1 { return }
      let add = rule.holdsUnseen ? seccomp_rule_add_array : seccomp_rule_add_exact_array
      let result = add(raw, rule.action.code, number, UInt32(rule.comparisons.count), rule.comparisons)
      // EDOM, EFAULT: the architecture has no such call. EINVAL: it cannot check the arguments. EACCES: the rule has the default action.
      // EEXIST: the rule was added before.
      if [0, -EDOM, -EFAULT, -EACCES, -EEXIST].contains(result) || result == -EINVAL && !rule.comparisons.isEmpty {
        return
      }
      throw SystemError("seccomp_rule_add \(rule.call)", errno: -result)
    }

    func merge(_ other: Context) throws(SystemError) {
      try Self.check("seccomp_merge", seccomp_merge(raw, other.raw))
      other.isMerged = true
    }

    static func check(_ call: String, _ result: Int32) throws(SystemError) {
      if result < 0 { throw SystemError(call, errno: -result) }
    }
  }

  /// `otherwise` is the action for calls without a rule, and for calls of any other architecture.
  ///
  /// - Throws: `SystemError` of libseccomp.
  public init(otherwise: Action) throws(SystemError) {
    var contexts: [Context] = []
    for architecture in Self.architectures { contexts.append(try Context(architecture, otherwise)) }
    self.contexts = contexts
  }

  private static let architectures =
    switch seccomp_arch_native() {
    case dormouse_arch_amd64: [dormouse_arch_amd64, dormouse_arch_x86]
    case dormouse_arch_arm64: [dormouse_arch_arm64, dormouse_arch_arm]
    case let other: [other]
    }

  /// Whether the kernel supports seccomp(2) programs.
  public static let canBeInstalled = linux_has_seccomp_filter() != 0

  /// Adds a rule for each of the calls that applies when all `conditions` are true. Calls that do not exist are skipped.
  ///
  /// Where a program cannot read the arguments (socketcall(2) on 32-bit x86), the rule is skipped too, or applies to any arguments if
  /// `holdsUnseen`.
  public mutating func add(
    _ action: Action, _ calls: some Sequence<String>, if conditions: [Condition] = [], holdsUnseen: Bool = false
  ) {
    let comparisons = conditions.map(\.comparison)
    rules += calls.map { Rule(action: action, call: $0, comparisons: comparisons, holdsUnseen: holdsUnseen) }
  }

  /// Compiles the program to an array of struct sock_filter.
  ///
  /// - Throws: `SystemError` of libseccomp or memfd_create(2).
  public consuming func exported() throws(SystemError) -> [UInt8] {
    guard let first = contexts.first else { return [] }
    for context in contexts { try context.add(rules) }
    for other in contexts.dropFirst() { try first.merge(other) }
    let file = try memoryFile("seccomp")
    try Context.check("seccomp_export_bpf", seccomp_export_bpf(first.raw, file.raw))
    return try readFile("/proc/self/fd/\(file.raw)", limit: 1 << 20)
  }
}
