import ControlProtocol
import Glibc
import Testing

@Suite("Staged thaw")
struct ThawTests {
  private func addSystemd(_ world: World) throws {
    let units = try world.writeUnits([
      "hello.socket": "[Socket]\nListenStream=127.0.0.1:8001\n",
      "hello.service": "[Service]\nExecStart=/usr/local/bin/tiny-init\n",
    ])
    try world.addDebian("web", image: "trixie", units: units, "ListenStream=127.0.0.1:8001")
  }

  /// - Returns: the daemon, and the cgroup of the guest, which is ready and has served a client.
  private func startSystemd(_ world: World) throws -> (Daemon, String) {
    try addSystemd(world)
    let daemon = try world.startDaemon()
    #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
    try world.wake("web")
    try daemon.until("the client has disconnected") { try world.status("web").connections == 0 }
    return (daemon, try #require(try world.status("web").cgroup))
  }

  /// The held cgroups, which are those below the guest's in which `cgroup.freeze` is 1.
  private func held(_ group: String) -> Set<String> {
    let held = Cgroups.tree(group).filter { text(of: $0 + "/cgroup.freeze") == "1\n" }
    return Set(held.map { String($0.dropFirst(group.count)) })
  }

  @Test("a staged thaw first thaws the processes that serve clients, and then the others")
  func turns() throws {
    try World.with { world in
      let (daemon, group) = try startSystemd(world)
      for _ in 1...3 {
        #expect(try world.dormouse("freeze", "web", "--now").succeeded)
        let held = held(group)
        #expect(held.isSuperset(of: ["", "/payload/init.scope", "/payload/system.slice/systemd-journald.service"]))
        #expect(!held.contains { $0.hasPrefix("/payload/system.slice/hello.service") })
        #expect(try world.ask("127.0.0.1:8001", "still") == "still")
        try daemon.until("no cgroup is held") { self.held(group) == [] }
      }
    }
  }

  @Test("a frozen guest is thawed in stages for a stop, because the stop may be cancelled")
  func stopPending() throws {
    try World.with { world in
      let (daemon, group) = try startSystemd(world)
      #expect(try world.dormouse("freeze", "web", "--now").succeeded)
      // The daemon has thawed the serving processes when it loads the steering program, and the others are still held.
      let injection = try Injection("bpf:signal=SIGSTOP:when=1", into: daemon.pid, of: world)
      let log = world.directory + "/sleep"
      let asking = try world.start([Built.dormouse, "sleep", "web", "--runtime", world.runtime], log: log)
      try eventually("the daemon is stopped") { injection.log.contains("stopped by SIGSTOP") }
      let held = held(group)
      #expect(held.contains("/payload/init.scope"))
      #expect(!held.contains(""))
      let late = try world.connect("127.0.0.1:8001")
      #expect(try late.ask("late") == "late")
      kill(daemon.pid, SIGCONT)
      #expect(asking.wait() == .exited(1))
      injection.end()
      #expect(text(of: log + ".err").contains("1 connection is open (127.0.0.1:"))
      try daemon.until("no cgroup is held") { self.held(group) == [] }
      #expect(try late.ask("still") == "still")
    }
  }

  @Test(
    "a frozen guest that is stopped by its daemon or the next one is thawed completely to shut down",
    arguments: [false, true])
  func halts(killed: Bool) throws {
    try World.with { world in
      try addSystemd(world)
      let daemon = try world.startDaemon()
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      try world.wake("web")
      #expect(try world.dormouse("freeze", "web", "--now").succeeded)
      if killed {
        daemon.child.signal(SIGKILL)
        _ = daemon.child.wait()
        try world.startDaemon().waitForLog("stopped (powered off)")
      } else {
        try world.sleep("web")
        #expect(try world.status("web").lastStop?.killed == false)
      }
      try world.wait("web", .inactive)
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
    }
  }

  @Test("a thaw does not affect a unit that systemd in the guest has frozen itself")
  func frozenByItself() throws {
    try World.with { world in
      try addSystemd(world)
      let daemon = try world.startDaemon()
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      try world.wake("web")
      let status = try world.status("web")
      let leader = try world.leader(of: "web")
      try require("nsenter", "-t", "\(leader)", "-a", "systemctl", "freeze", "systemd-journald.service")
      #expect(try world.dormouse("freeze", "web", "--now").succeeded)
      #expect(try world.ask("127.0.0.1:8001", "still") == "still")
      let own: Set = ["/payload/system.slice/systemd-journald.service"]
      try daemon.until("only the cgroup of that unit is frozen") { self.held(status.cgroup ?? "") == own }
      try require("nsenter", "-t", "\(leader)", "-a", "systemctl", "thaw", "systemd-journald.service")
    }
  }
}
