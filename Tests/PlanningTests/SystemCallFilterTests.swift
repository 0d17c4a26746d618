import GuestSpec
import Planning
import Testing

@Suite("The system calls of a guest")
struct SystemCallFilterTests {
  private func filters(_ change: (inout Guest, inout StartFacts) -> Void = { _, _ in }) throws -> [SystemCallFilter] {
    try planned(change).steps.compactMap { if case .filterSystemCalls(let filter) = $0 { filter } else { nil } }
  }

  private func allowed(_ change: (inout Guest, inout StartFacts) -> Void = { _, _ in }) throws -> Set<String> {
    try #require(filters(change).first?.rules.first { $0.action == .allow }).calls
  }

  @Test("the default system calls are those that an init needs, and none that affects the host")
  func usual() throws {
    let calls = try allowed()
    for call in ["read", "execve", "clone3", "mount", "pivot_root", "setns", "reboot", "ptrace", "seccomp", "socket"] {
      #expect(calls.contains(call), "\(call)")
    }
    for call in [
      "bpf", "kexec_load", "init_module", "open_by_handle_at", "perf_event_open", "swapon", "keyctl", "syslog", "iopl",
      "clock_settime", "settimeofday", "mlock", "acct", "fanotify_init", "quotactl", "pkey_alloc", "uselib",
      "io_uring_setup", "io_uring_enter", "io_uring_register", "add_key", "request_key",
    ] {
      #expect(!calls.contains(call), "\(call)")
    }
  }

  @Test("a known call that is not allowed fails with EPERM, and an unknown one with ENOSYS")
  func others() throws {
    let filter = try #require(filters().first)
    #expect(filter.otherwise == .deny)
    let refused = try #require(filter.rules.first { $0.action == .refuse }).calls
    #expect(refused.isDisjoint(with: try allowed()))
    #expect(refused.union(try allowed()).isSuperset(of: SystemCalls.known))
  }

  @Test(
    "a capability adds its system calls, and dropping it removes them",
    arguments: [
      (14, "mlock"), (16, "init_module"), (17, "iopl"), (19, "ptrace"), (20, "acct"), (22, "reboot"),
      (25, "clock_settime"), (26, "vhangup"), (34, "syslog"), (39, "bpf"),
    ] as [(UInt64, String)])
  func capabilities(number: UInt64, call: String) throws {
    #expect(try allowed { guest, _ in guest.exec.capabilities.added = [.one(Capabilities([number]))] }.contains(call))
    #expect(
      try !allowed { guest, _ in guest.exec.capabilities.dropped = [.one(Capabilities([number]))] }.contains(call))
  }

  @Test("a guest with a user namespace may use no keyrings either")
  func keyrings() throws {
    let users = GuestUsers(IDMap(base: 65536, count: 65536), root: .none)
    #expect(try !allowed { _, facts in facts.users = users }.contains("keyctl"))
  }

  @Test("SystemCallFilter= brings io_uring back, but never together with RestrictAddressFamilies=")
  func rings() throws {
    for name in ["io_uring_setup", "@aio"] {
      #expect(
        try allowed { guest, _ in guest.exec.sandbox.systemCalls = [.init(name, isAllowed: true)] }
          .contains("io_uring_setup"))
      #expect(
        try !allowed { guest, _ in
          guest.exec.sandbox.systemCalls = [.init(name, isAllowed: true)]
          guest.exec.sandbox.families = AddressFamilies(isAllowList: true, [1])
        }.contains("io_uring_setup"))
    }
  }

  @Test("SystemCallFilter= adds and removes calls, and removal wins")
  func setting() throws {
    let calls = try allowed { guest, _ in
      guest.exec.sandbox.systemCalls = [
        .init("@keyring", isAllowed: true), .init("@mount", isAllowed: false), .init("mount", isAllowed: true),
        .init("futurecall", isAllowed: true),
      ]
    }
    #expect(calls.contains("keyctl") && calls.contains("futurecall"))
    #expect(!calls.contains("mount") && !calls.contains("umount2"))
  }

  @Test("the audit socket is refused unless the guest has an audit capability")
  func audit() throws {
    let audit = SystemCallFilter.Rule(
      .noFamily, ["socket"],
      if: [
        .bits(argument: 0, mask: 0xffff_ffff, value: 16), .bits(argument: 2, mask: 0xffff_ffff, value: 9),
      ])
    #expect(try filters().last?.rules.first == audit)
    let with = try filters { guest, _ in guest.exec.capabilities.added = [.one(.audit)] }
    #expect(with.last?.rules.contains(audit) == false)
  }

  @Test(
    "without RestrictAddressFamilies= AF_ALG and AF_VSOCK are refused, by socketcall(2) too unless the guest needs it")
  func usualFamilies() throws {
    func refused(_ change: (inout Guest) -> Void = { _ in }) throws -> [SystemCallFilter.Rule] {
      try #require(filters { guest, _ in change(&guest) }.last).rules.filter { $0.conditions.count == 1 }
    }
    let both = [38, 40].map { [SystemCallFilter.Condition.bits(argument: 0, mask: 0xffff_ffff, value: $0)] }
    #expect(try refused().map(\.conditions) == both)
    #expect(try refused().allSatisfy(\.holdsUnseen))
    #expect(try !refused { $0.exec.process.personality = .x86 }.contains(where: \.holdsUnseen))
    let named = try refused { $0.exec.sandbox.systemCalls = [.init("socketcall", isAllowed: true)] }
    #expect(named.map(\.conditions) == both && !named.contains(where: \.holdsUnseen))
    // `RestrictAddressFamilies=~` refuses none.
    #expect(try refused { $0.exec.sandbox.families = AddressFamilies(isAllowList: false, []) }.isEmpty)
  }

  @Test("RestrictAddressFamilies= refuses all address families but those that it names, or only those with ~")
  func families() throws {
    func refused(_ families: AddressFamilies) throws -> [SystemCallFilter.Rule] {
      try #require(filters { guest, _ in guest.exec.sandbox.families = families }.last).rules.filter(\.holdsUnseen)
    }
    let allowList = try refused(AddressFamilies(isAllowList: true, [1, 2]))
    #expect(allowList.count == 63)
    #expect(allowList.last?.conditions == [.above(argument: 0, value: 63)])
    let denyList = try refused(AddressFamilies(isAllowList: false, [40]))
    #expect(denyList.map(\.conditions) == [[.bits(argument: 0, mask: 0xffff_ffff, value: 40)]])
    #expect(try refused(AddressFamilies(isAllowList: true, [])).count == 65)
  }

  @Test("SuppressSync= makes calls that wait for the disk do nothing, and opening for synchronous writes fail")
  func sync() throws {
    let rules = try #require(filters { guest, _ in guest.exec.sandbox.suppressSync = true }.last).rules
    #expect(rules.first { $0.action == .pretend }?.calls.contains("fsync") == true)
    #expect(rules.filter { $0.action == .invalid }.map(\.calls) == [["open"], ["openat"]])
  }

  @Test(
    "a guest without CAP_SYS_ADMIN keeps it until the filter is installed, and does not need it with NoNewPrivileges=")
  func installing() throws {
    func kept(_ change: (inout Guest) -> Void) throws -> Step? {
      try planned { guest, _ in
        guest.exec.capabilities.dropped = [.one(.sysAdmin)]
        change(&guest)
      }.steps.first { if case .keepCapabilities = $0 { true } else { false } }
    }
    let rest = Capabilities.guest.subtracting(.sysAdmin)
    #expect(try kept { _ in } == .keepCapabilities(rest, untilExecuted: .sysAdmin))
    #expect(try kept { $0.exec.sandbox.noNewPrivileges = true } == .keepCapabilities(rest))
  }

  @Test("the plan for a kernel without seccomp(2) has no filter, and a note says so")
  func absent() throws {
    let plan = try planned { _, facts in facts.host.mayFilterSystemCalls = false }
    #expect(plan.notes == [.noSystemCallFilter])
    #expect(!plan.steps.contains { if case .filterSystemCalls = $0 { true } else { false } })
    #expect(try planned().notes == [])
  }
}
