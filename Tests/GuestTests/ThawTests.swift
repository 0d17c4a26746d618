import ControlProtocol
import Glibc
import Testing

@Suite("A guest that goes on in turns")
struct ThawTests {
  private func addSystemd(_ world: World) throws {
    let units = try world.writeUnits([
      "hello.socket": "[Socket]\nListenStream=127.0.0.1:8001\n",
      "hello.service": "[Service]\nExecStart=/usr/local/bin/tiny-init\n",
    ])
    try world.addDebian("web", image: "trixie", units: units, "ListenStream=127.0.0.1:8001")
  }

  /// - Returns: the daemon, and the guest's cgroup when it has served and is ready.
  private func startSystemd(_ world: World) throws -> (Daemon, String) {
    try addSystemd(world)
    let daemon = try world.startDaemon()
    #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
    try world.wake("web")
    try daemon.until("its client has gone") { try world.status("web").connections == 0 }
    return (daemon, try #require(try world.status("web").cgroup))
  }

  /// The cgroups below the guest's in which `cgroup.freeze` is 1.
  private func held(_ group: String) -> Set<String> {
    let held = Cgroups.tree(group).filter { text(of: $0 + "/cgroup.freeze") == "1\n" }
    return Set(held.map { String($0.dropFirst(group.count)) })
  }

  @Test("has all but those who answer clients wait for a moment, and then nobody")
  func turns() throws {
    try World.with { world in
      let (daemon, group) = try startSystemd(world)
      for _ in 1...3 {
        #expect(try world.dormouse("freeze", "web", "--now").succeeded)
        let held = held(group)
        #expect(held.isSuperset(of: ["", "/payload/init.scope", "/payload/system.slice/systemd-journald.service"]))
        #expect(!held.contains { $0.hasPrefix("/payload/system.slice/hello.service") })
        #expect(try world.ask("127.0.0.1:8001", "still") == "still")
        try daemon.until("nobody is held any more") { self.held(group) == [] }
      }
    }
  }

  @Test("does so as well when it is to be parted with, for it may be kept")
  func parting() throws {
    try World.with { world in
      let (daemon, group) = try startSystemd(world)
      #expect(try world.dormouse("freeze", "web", "--now").succeeded)
      // It has thawed the guest when it begins to make the gate, and has let go of nobody yet.
      let injection = try Injection("bpf:signal=SIGSTOP:when=1", into: daemon.pid, of: world)
      let log = world.directory + "/sleep"
      let asking = try world.start([Built.dormouse, "sleep", "web", "--runtime", world.runtime], log: log)
      try eventually("the daemon stands still") { injection.log.contains("stopped by SIGSTOP") }
      let held = held(group)
      #expect(held.contains("/payload/init.scope"))
      #expect(!held.contains(""))
      let late = try world.connect("127.0.0.1:8001")
      #expect(try late.ask("late") == "late")
      kill(daemon.pid, SIGCONT)
      #expect(asking.wait() == .exited(1))
      injection.end()
      #expect(text(of: log + ".err").contains("1 connection is open (127.0.0.1:"))
      try daemon.until("nobody is held any more") { self.held(group) == [] }
      #expect(try late.ask("still") == "still")
    }
  }

  @Test(
    "is told to halt while it stands still, or by the next daemon, and all of it goes on to do so",
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
        try world.startDaemon().waitForLog("gone: halted")
      } else {
        try world.sleep("web")
        #expect(try world.status("web").lastStop?.killed == false)
      }
      try world.wait("web", .inactive)
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
    }
  }

  @Test("does not go on as far as its own systemd has frozen a unit")
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
      try daemon.until("only that is held") { self.held(status.cgroup ?? "") == own }
      try require("nsenter", "-t", "\(leader)", "-a", "systemctl", "thaw", "systemd-journald.service")
    }
  }
}
