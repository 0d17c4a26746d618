import GuestSpec
import Planning
import Testing

@Suite("The environment and arguments of PID 1")
struct PlanTests {
  private func environment(_ plan: LaunchPlan) -> [String] { plan.environment.map { "\($0.name)=\($0.value)" } }

  @Test("Terminals= adds terminals besides the console, and the environment names them")
  func terminals() throws {
    let changed = try planned { guest, _ in guest.policy.terminals = 2 }
    #expect(changed.terminals == 2)
    #expect(environment(changed).contains("container_ttys=pts/1 pts/2"))
    #expect(changes(from: try planned(), to: changed) == [])
    #expect(try planned().terminals == 0 && environment(planned()).contains { $0.hasPrefix("container_ttys") } == false)
  }

  @Test("the environment of PID 1 is the Container Interface's, in order, and nothing else")
  func environment() throws {
    let plan = try planned { _, facts in
      facts.host.osRelease.id = "debian"
      facts.host.osRelease.versionID = "13"
      facts.listenerNames = ["http", "https"]
    }
    #expect(
      environment(plan) == [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "container=dormouse",
        "container_uuid=00112233-4455-6677-8899-aabbccddeeff", "TERM=dumb", "HOME=/root", "USER=root",
        "LOGNAME=root", "container_host_id=debian", "container_host_version_id=13",
        "NOTIFY_SOCKET=/run/host/notify", "LISTEN_FDS=2", "LISTEN_PID=1", "LISTEN_FDNAMES=http:https",
      ])
    #expect(plan.listenerCount == 2)
  }

  @Test("without listeners and notify socket the environment does not mention them")
  func noListeners() throws {
    let plan = try planned { _, facts in facts.hostSide.notifySocket = nil }
    #expect(!environment(plan).contains { $0.hasPrefix("LISTEN") || $0.hasPrefix("NOTIFY") })
  }

  @Test("Environment= replaces a variable in its place, and the last of a name wins")
  func ownEnvironment() throws {
    let plan = try planned { guest, _ in
      guest.exec.environment = [.init("TERM", "linux"), .init("A", "1"), .init("A", "2")]
    }
    #expect(environment(plan).contains("TERM=linux"))
    #expect(!environment(plan).contains("TERM=dumb"))
    #expect(environment(plan).suffix(1) == ["A=2"])
  }

  @Test("an init gets Parameters= as its arguments, and systemd.firstboot=off")
  func parameters() throws {
    #expect(
      try planned { guest, _ in guest.exec.parameters = ["a b", "c"] }.arguments
        == ["init", "a b", "c", "systemd.firstboot=off"])
    #expect(
      try planned { guest, _ in guest.exec.parameters = ["systemd.firstboot=on"] }.arguments
        == ["init", "systemd.firstboot=on"])
  }

  @Test(
    "systemd of which the version is known gets the word that applies credentials and asks nothing",
    arguments: [261, 262])
  func firstboot(version: Int) throws {
    let arguments = try planned { _, facts in facts.rootFiles.systemd = version }.arguments
    #expect(arguments == ["init", "systemd.firstboot=\(version == 262 ? "headless" : "off")"])
  }

  @Test("an init that is not systemd gets none of systemd's arguments, and no signal is blocked")
  func otherInit() throws {
    let plan = try planned { guest, facts in
      guest.exec.parameters = ["3"]
      facts.initSystem = .openrc
    }
    #expect(plan.arguments == ["init", "3"])
    #expect(plan.steps.contains(.blockSignals([])))
  }

  @Test("a command with a slash is executed by its path, with that as the zeroth argument")
  func command() throws {
    let plan = try planned { guest, _ in
      guest.exec.boot = false
      guest.exec.parameters = ["/bin/serve", "x"]
    }
    #expect(plan.arguments == ["/bin/serve", "x"])
    #expect(plan.steps.last == .execute(candidates: ["/bin/serve"], namesItself: false))
  }

  @Test("a real-time KillSignal= is blocked together with the stop signals, and another one is not")
  func killSignal() throws {
    func blocked(_ signal: Signal) throws -> [Signal] {
      try planned { guest, _ in guest.exec.killSignal = signal }.steps.flatMap {
        if case .blockSignals(let signals) = $0 { signals } else { [] as [Signal] }
      }
    }
    #expect(try blocked(.realtime(9)).last == .realtime(9))
    #expect(try blocked(.sigterm).contains(.sigterm) == false)
    #expect(try blocked(.sigterm).contains(.realtime(3)))
  }

  @Test(
    "an impossible combination of settings is refused with a reason",
    arguments: [
      (PlanError.noCommand, "Boot=no needs a command in Parameters="),
      (
        .hostRootIsWritable,
        "Directory=/ needs Volatile=yes, state or overlay, or ReadOnly=yes: a guest never writes to the host's own root"
      ),
      (
        .rootIsNotMergedUsr(root: "/guests/web"),
        "Volatile=yes needs a root whose /bin is a symbolic link into /usr; /guests/web/bin is not"
      ),
      (
        .noResolvConf(path: "/run/systemd/resolve/resolv.conf"),
        "ResolvConf= needs /run/systemd/resolve/resolv.conf of this host, which cannot be read; create it, or use another mode"
      ),
      (.noScratchDirectory(destination: "/x"), "no directory was made for Bind=:/x"),
      (
        .noUser("web", root: "/guests/web"),
        "User=web: /guests/web has no such user in its /etc/passwd; write the name of an existing user, or an ID"
      ),
      (
        .ambientCapabilitiesAreNotKept("CAP_SYSLOG"),
        "AmbientCapability=CAP_SYSLOG: the guest does not have it; add it by Capability=, and do not drop it"
      ),
      (
        .foreignPersonality("arm"), "Personality=arm: this host's kernel does not run such programs; remove the setting"
      ),
      (.no32Bit("x86"), "Personality=x86: this host's processor runs no 32-bit programs; remove the setting"),
      (
        .pivotInVolatileRoot,
        "PivotRoot=: the root of Volatile=yes has no such directory; use Volatile=overlay or Volatile=state"
      ),
    ])
  func refusals(error: PlanError, words: String) {
    #expect(throws: error) {
      try planned { guest, facts in
        switch error {
        case .noCommand: guest.exec.boot = false
        case .hostRootIsWritable: facts.root = "/"
        case .rootIsNotMergedUsr:
          guest.files.volatile = .yes
          facts.rootFiles.topLevelLinks = []
        case .noResolvConf:
          guest.exec.integration.resolvConf = .bind(.uplink)
        case .noScratchDirectory:
          guest.files.mounts = [
            .bind(source: "", destination: "/x", readOnly: false, recursive: true, optional: false)
          ]
        case .noUser(let name, _): guest.exec.process.user = name
        case .ambientCapabilitiesAreNotKept: guest.exec.capabilities.ambient = [Capabilities([34])]
        case .foreignPersonality: guest.exec.process.personality = .arm
        case .no32Bit:
          guest.exec.process.personality = .x86
          facts.host.runs32Bit = false
        case .pivotInVolatileRoot:
          guest.files.volatile = .yes
          guest.exec.root.pivot = PivotRoot(new: "/x", old: nil)
        }
      }
    }
    #expect(error.description == words)
  }

  @Test("the layers of an overlay may have any name")
  func overlayNames() throws {
    let plan = try planned { guest, facts in
      guest.files.volatile = .overlay
      facts.root = "/a:b,c\\d"
    }
    #expect(lines(plan).contains { $0.contains(#"lowerdir=/a\\:b\\,c\\\\d,upperdir="#) })
  }

  @Test("an overlay over a root that has the guest's machine ID keeps the root's file")
  func overlayID() throws {
    let plan = try planned { guest, facts in
      guest.files.volatile = .overlay
      facts.identity.rootMachineID = facts.identity.machineID
    }
    #expect(!lines(plan).contains { $0.contains("/etc/machine-id") })
  }

  @Test("mount options become mount flags where the kernel has flags for them")
  func mountOptions() throws {
    let plan = try planned { guest, _ in
      guest.files.mounts = [
        .temporaryFileSystem(path: "/t", options: "mode=0700,dev,nosuid,noexec,noatime,rw,nosymfollow,size=10%")
      ]
    }
    #expect(
      lines(plan).contains(
        #"mount (type: "tmpfs", target: "/t", flags: [nosuid,noexec,noatime,nosymfollow], "#
          + #"data: "mode=0700,size=10%", optional: false)"#))
  }

  @Test(
    "a guest may use only the devices of its /dev, its terminals and bound devices, where the kernel can restrict them"
  )
  func devices() throws {
    #expect(try planned().devices == nil)
    let fuse = Device(.character, 10, 229)
    let plan = try planned { _, facts in
      facts.host.mayRestrictDevices = true
      facts.boundDevices = [fuse]
    }
    let null = Device(.character, 1, 3)
    let terminals = Device(.character, 136, nil)
    #expect(plan.devices?.contains(null) == true)
    #expect(plan.devices?.contains(terminals) == true)
    #expect(plan.devices?.last == fuse)
    #expect(plan.devices?.contains { $0.kind == .block && $0.major != 0 } == false)
  }

  @Test("every launch step has a description of its own for error messages")
  func words() throws {
    let plan = try planned { guest, _ in guest.network.isPrivate = true }
    #expect(plan.steps.map(\.description).contains("mounting tmpfs on /dev"))
    #expect(
      plan.steps.last?.description == "executing /usr/lib/systemd/systemd, /lib/systemd/systemd or /sbin/init")
    #expect(plan.steps.allSatisfy { !$0.description.contains("(") })
  }
}
