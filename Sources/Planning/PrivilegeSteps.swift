import GuestSpec

/// User and privileges of the payload. These steps come last, because the steps before need the privileges that are dropped here.
struct PrivilegeSteps {
  /// Sets personality, limits, user, capabilities and system call filters.
  private(set) var steps: [Step] = []
  /// The settings that this start does not apply.
  private(set) var notes: [PlanNote] = []

  init(_ guest: Guest, _ facts: StartFacts, _ slots: Slots) throws(PlanError) {
    let exec = guest.exec
    if let personality = exec.process.personality {
      guard Self.personalities[facts.host.architecture]?.contains(personality) == true else {
        throw .foreignPersonality(personality.rawValue)
      }
      let is32Bit = personality.is32Bit
      if is32Bit, !facts.host.runs32Bit { throw .no32Bit(personality.rawValue) }
      steps.append(.setPersonality(is32Bit: is32Bit))
    }
    if !exec.process.processors.isEmpty { steps.append(.setAffinity(exec.process.processors)) }
    if let directory = exec.process.workingDirectory { steps.append(.changeDirectory(directory)) }
    steps += Resource.lateLimits(of: facts.host.limits, asked: exec.process.limits)
    let kept = Capabilities(keptBy: guest)
    if facts.users == nil { note(exec.capabilities.named.intersection(kept).subtracting(facts.host.capabilities)) }
    let ambient = Capabilities(exec.capabilities.ambient)
    guard kept.isSuperset(of: ambient) else {
      throw .ambientCapabilitiesAreNotKept(ambient.subtracting(kept).names.joined(separator: " "))
    }
    if let user = exec.process.user {
      guard let account = facts.account else { throw .noUser(user, root: facts.root) }
      if account.uid != 0 { steps.append(.becomeUser(account)) }
    }
    if !facts.host.mayFilterSystemCalls { notes.append(.noSystemCallFilter) }
    let filters = facts.host.mayFilterSystemCalls ? SystemCallFilter.all(of: guest, facts, kept) : []
    let needed: Capabilities = filters.isEmpty || exec.sandbox.noNewPrivileges ? [] : .sysAdmin
    steps.append(.keepCapabilities(kept, untilExecuted: needed.subtracting(kept)))
    if !ambient.isEmpty { steps.append(.raiseCapabilities(ambient)) }
    if exec.sandbox.noNewPrivileges { steps.append(.noNewPrivileges) }
    guard let slot = slots.slot(of: .smallInit) else {
      steps.append(.blockSignals(PlanEnvironment.blockedSignals(exec, facts.initSystem)))
      // Last, because a filter may forbid the calls of the steps before.
      steps += filters.map { .filterSystemCalls($0) }
      return
    }
    // The small init is filtered too, or a process that traces it could evade the filter. It keeps every signal blocked.
    steps += filters.map { .filterSystemCalls($0) }
    steps.append(
      .leaveInit(
        slot: slot, arguments: Self.initArguments(guest), environment: PlanEnvironment.ofSmallInit(guest, facts)))
    steps += [.newSession, .blockSignals([])]
  }

  private mutating func note(_ missing: Capabilities) {
    if !missing.isEmpty { notes.append(.capabilitiesMissing(missing.names.joined(separator: " "))) }
  }

  /// The small init waits for the payload as long as the daemon waits for the guest, in whole seconds, rounded up.
  private static func initArguments(_ guest: Guest) -> [String] {
    guard let timeout = guest.policy.timeoutStop?.components else { return ["dormouse-init"] }
    return ["dormouse-init", String(timeout.seconds + (timeout.attoseconds > 0 ? 1 : 0))]
  }

  /// The personalities that the kernel of each architecture supports.
  private static let personalities: [Personality: [Personality]] = [
    .amd64: [.amd64, .x86],
    .arm64: [.arm64, .arm],
  ]
}

extension Capabilities {
  /// The capabilities that `guest` keeps. `Capability=all` does not include those that the Container Interface forbids; their names do.
  init(keptBy guest: Guest) {
    let usual: Capabilities = guest.network.isPrivate ? [.guest, .networkAdministration] : .guest
    self =
      usual
      .union(Self.set(guest.exec.capabilities.added, all: .all.subtracting(.audit)))
      .subtracting(Self.set(guest.exec.capabilities.dropped, all: .all))
  }

  private static func set(_ choices: [CapabilityChoice], all: Capabilities) -> Capabilities {
    choices.reduce(into: []) { set, choice in
      switch choice {
      case .all: set.formUnion(all)
      case .one(let one): set.formUnion(one)
      }
    }
  }

  /// The capabilities that a guest keeps: systemd-nspawn's set without CAP_AUDIT_CONTROL and CAP_AUDIT_WRITE, which the Container Interface
  /// forbids.
  ///
  /// These are left out because without a user namespace they affect the host: SYS_MODULE, SYS_RAWIO, SYS_TIME, SYSLOG, SYS_PACCT,
  /// IPC_LOCK, MAC_ADMIN, MAC_OVERRIDE, WAKE_ALARM, BLOCK_SUSPEND, AUDIT_READ, PERFMON, BPF, CHECKPOINT_RESTORE.
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
    21,  // SYS_ADMIN: the Container Interface demands it
    22,  // SYS_BOOT: systemd-shutdown ends its PID namespace by reboot(2)
    23,  // SYS_NICE
    24,  // SYS_RESOURCE
    26,  // SYS_TTY_CONFIG
    27,  // MKNOD: the Container Interface demands it
    28,  // LEASE
    31,  // SETFCAP
  ])
}
