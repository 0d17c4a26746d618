import GuestSpec
import Planning
import Testing

@Suite("The plan of [Exec]")
struct ExecTests {
  private func golden(_ change: (inout Guest, inout StartFacts) -> Void) throws -> String {
    try changes(from: planned(), to: planned(change)).joined(separator: "\n")
  }

  @Test("a Limit…= setting replaces the default limit")
  func limits() throws {
    let changed = try golden { guest, _ in
      guest.exec.process.limits[.descriptors] = ResourceLimit(soft: 64, hard: 128)
      guest.exec.process.limits[.nice] = ResourceLimit(soft: 20, hard: 20)
    }
    #expect(
      changed == """
        - limit (Resource.nice, soft: 0, hard: 0)
        - limit (Resource.descriptors, soft: 1024, hard: 524288)
        + limit (Resource.nice, soft: 20, hard: 20)
        + limit (Resource.descriptors, soft: 64, hard: 128)
        """)
  }

  @Test("Capability= and DropCapability= change the kept capabilities, dropping wins, and all does not include audit")
  func capabilities() throws {
    #expect(
      try golden { guest, _ in
        guest.exec.capabilities.added = [.one(Capabilities([34, 39]))]
        guest.exec.capabilities.dropped = [.one(Capabilities([27, 39]))]
      } == """
        - keepCapabilities (0x9decafff, untilExecuted: 0x0)
        + keepCapabilities (0x495ecafff, untilExecuted: 0x0)
        """)
    func kept(_ added: [CapabilityChoice], _ dropped: [CapabilityChoice] = []) throws -> Capabilities {
      let steps = try planned { guest, _ in
        guest.exec.capabilities.added = added
        guest.exec.capabilities.dropped = dropped
      }.steps
      for case .keepCapabilities(let kept, _) in steps { return kept }
      return []
    }
    #expect(try kept([.all]) == Capabilities.all.subtracting(.audit))
    #expect(try kept([.all, .one(.audit)]) == .all)
    #expect(try kept([.one(.audit)]).isSuperset(of: .audit))
    #expect(try kept([.one(.audit)], [.all]) == [])
  }

  @Test("AmbientCapability= is raised after the other capabilities are dropped")
  func ambient() throws {
    #expect(
      try golden { guest, _ in guest.exec.capabilities.ambient = [Capabilities([10]), Capabilities([13])] }
        == "+ raiseCapabilities 0x2400")
  }

  @Test("NoNewPrivileges=, Personality=, CPUAffinity= and WorkingDirectory= add one step each")
  func each() throws {
    #expect(
      try golden { guest, _ in
        guest.exec.sandbox.noNewPrivileges = true
        guest.exec.process.personality = .x86
        guest.exec.process.processors = [0...1, 4...4]
        guest.exec.process.workingDirectory = "/srv"
      } == """
        + setPersonality (is32Bit: true)
        + setAffinity [ClosedRange(0...1), ClosedRange(4...4)]
        + changeDirectory "/srv"
        + setting no_new_privs
        """)
  }

  @Test("ProcessTwo= forks after the filter is installed, and PID 2 gets a session of its own and no blocked signal")
  func processTwo() throws {
    let plan = try planned { guest, facts in
      guest.exec.processTwo = true
      guest.exec.parameters = ["web", "--fast"]
      guest.policy.timeoutStop = .milliseconds(2500)
      facts.listenerNames = ["http"]
    }
    #expect(
      lines(plan).suffix(6).joined(separator: "\n") == """
        filterSystemCalls 2 rules, otherwise deny
        filterSystemCalls 3 rules, otherwise allow
        leaveInit (slot: smallInit, arguments: ["dormouse-init", "3"], environment: \
        [EnvironmentVariable(name: "container", value: "dormouse"), \
        EnvironmentVariable(name: "container_uuid", value: "00112233-4455-6677-8899-aabbccddeeff")])
        starting a session
        blockSignals []
        execute (candidates: ["/usr/local/sbin/web", "/usr/local/bin/web", "/usr/sbin/web", "/usr/bin/web", "/sbin/web", \
        "/bin/web"], namesItself: false)
        """)
    #expect(plan.preloaded == [.terminals, .smallInit])
    #expect(plan.arguments == ["web", "--fast"])
    #expect(plan.environment.contains(EnvironmentVariable("LISTEN_PID", "2")))
    var guest = example().guest
    guest.exec.processTwo = true
    guest.exec.parameters = ["web"]
    guest.policy.timeoutStop = nil
    let endless = try Planning.plan(guest, example().facts)
    #expect(lines(endless).contains { $0.hasPrefix("leaveInit (slot: smallInit, arguments: [\"dormouse-init\"], ") })
  }

  @Test("OOMScoreAdjust= adds no step, because the daemon sets it")
  func oomScore() throws {
    #expect(try planned { guest, _ in guest.exec.process.oomScoreAdjust = -3 }.oomScoreAdjust == -3)
    #expect(try golden { guest, _ in guest.exec.process.oomScoreAdjust = -3 } == "")
  }

  @Test(
    "a capability that the daemon lacks is noted for a guest with the host's users, and all stands for what there is")
  func capabilitiesOfDaemon() throws {
    func notes(_ added: [CapabilityChoice], users: GuestUsers? = nil) throws -> [PlanNote] {
      try planned { guest, facts in
        guest.exec.capabilities.added = added
        facts.users = users
        facts.host.capabilities = .guest
      }.notes
    }
    let wanted = [CapabilityChoice.one(Capabilities([0, 25]))]
    #expect(try notes(wanted) == [.capabilitiesMissing("CAP_SYS_TIME")])
    #expect(try notes(wanted, users: GuestUsers(IDMap(base: 65536, count: 65536), root: .none)) == [])
    #expect(try notes([.all]) == [])
  }

  @Test("PivotRoot= binds the directory on itself and pivots to it before anything is mounted in it")
  func pivot() throws {
    let plan = try planned { guest, _ in guest.exec.root.pivot = PivotRoot(new: "/ostree/1", old: "/sysroot") }
    #expect(
      changes(from: try planned(), to: plan).joined(separator: "\n") == """
        + open (slot: 4, source: "/ostree/1", attributes: [], recursive: true, optional: false)
        + attach (slot: 4, source: "/ostree/1", target: "/ostree/1")
        + pivotRoot (new: "/ostree/1", old: Optional("/sysroot"))
        """)
    let index = try #require(plan.steps.firstIndex { if case .pivotRoot = $0 { true } else { false } })
    #expect(plan.steps[index - 3] == .switchRoot(staging: "/run/staging"))
  }

  @Test("User= takes IDs, home and shell from the guest's passwd")
  func user() throws {
    let account = Account(
      name: "web", uid: 33, gid: 34, groups: [34, 50], home: "/var/www", shell: "/bin/false")
    let plan = try planned { guest, facts in
      guest.exec.process.user = "web"
      facts.account = account
    }
    let index = try #require(plan.steps.firstIndex(of: .becomeUser(account)))
    #expect(plan.steps[index + 1] == .keepCapabilities(.guest))
    let environment = plan.environment.map { "\($0.name)=\($0.value)" }
    #expect(environment.contains("HOME=/var/www") && environment.contains("USER=web"))
    #expect(environment.contains("LOGNAME=web") && environment.contains("SHELL=/bin/false"))
    #expect(Set(environment.map { $0.prefix { $0 != "=" } }).count == environment.count)
  }

  @Test("User=root changes nothing")
  func root() throws {
    #expect(
      try golden { guest, facts in
        guest.exec.process.user = "root"
        facts.account = .root
      } == "")
  }
}

@Suite("The user of User=")
struct AccountTests {
  private static let passwd = """
    root:x:0:0:root:/root:/bin/bash
    broken
    web:x:33:34:the web:/var/www:/usr/sbin/nologin
    bare:x:40:40::
    homeless:x:41:41:::
    """
  private static let group = """
    root:x:0:
    web:x:34:
    log:x:50:daemon,web
    other:x:51:webmaster
    same:x:34:web
    """

  private func account(_ wanted: String) -> Account? {
    Account(wanted, passwd: Self.passwd, group: Self.group)
  }

  @Test("a user is found by name and by ID, with every group that lists it", arguments: ["web", "33"])
  func found(wanted: String) {
    #expect(
      account(wanted)
        == Account(name: "web", uid: 33, gid: 34, groups: [34, 50], home: "/var/www", shell: "/usr/sbin/nologin"))
  }

  @Test(
    "an /etc/group of 300,000 groups that all list the user is read in time in proportion to its length",
    .timeLimit(.minutes(1)))
  func manyGroups() {
    let group = (1...300_000).map { "g:x:\($0):web" }.joined(separator: "\n")
    let account = Account("web", passwd: Self.passwd, group: group)
    #expect(account?.groups.count == 65536)
  }

  @Test("a user without a home has the root directory, and a name without an entry is no user")
  func odd() {
    #expect(account("homeless")?.home == "/")
    #expect(account("homeless")?.shell == nil)
    #expect(account("nobody") == nil)
    #expect(account("broken") == nil)
    #expect(Account("web", passwd: nil, group: nil) == nil)
  }

  @Test("neither an ID nor root needs an entry in passwd")
  func numbers() {
    #expect(account("99") == Account(name: "99", uid: 99, gid: 99, groups: [99], home: "/", shell: nil))
    #expect(Account("root", passwd: nil, group: nil) == .root)
    #expect(Account("0", passwd: "", group: nil) == .root)
    #expect(account("root")?.shell == "/bin/bash")
  }
}
