import ControlProtocol
import Foundation
import Glibc
import Testing

@Suite("A killed daemon")
struct DaemonFaultTests {
  /// Adds a guest whose init is stopped by SIGRTMIN+3.
  private func addBooted(_ world: World, arguments: String = "--ready", settings: String = "") throws {
    try world.addTiny(
      "echo", "ListenStream=127.0.0.1:8001",
      settings: "[Exec]\nBoot=yes\nParameters=\nParameters=\(arguments)\n\(settings)")
  }

  private func killDaemon(_ daemon: Daemon) {
    daemon.child.signal(SIGKILL)
    #expect(daemon.child.wait() == .killed(SIGKILL))
  }

  private func expectCleared(_ world: World, _ next: Daemon) throws {
    #expect(world.cgroups(of: "echo").isEmpty)
    #expect(world.records(of: "echo").isEmpty)
    #expect(Cgroups.processes(below: world.cgroup) == [next.pid])
  }

  @Test(
    "the daemon stops the orphan of a killed daemon and then holds its sockets",
    arguments: [GuestState.activating, .active])
  func state(_ state: GuestState) throws {
    try World.with { world in
      try addBooted(world, arguments: state == .active ? "--ready" : "")
      let daemon = try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      #expect(try client.ask("hello") == "hello")
      try world.wait("echo", state)
      let pid = try world.leader(of: "echo")
      killDaemon(daemon)
      let next = try world.startDaemon()
      try next.waitForLog("asleep; listening on 127.0.0.1:8001", times: 2)
      // Both daemons write to the same log.
      let log = next.log
      let found = try #require(log.range(of: "found running as process \(pid)"))
      let stop = try #require(log.range(of: "(SIGRTMIN+3)", range: found.upperBound..<log.endIndex))
      #expect(log.range(of: "stopped (powered off)", range: stop.upperBound..<log.endIndex) != nil)
      try next.until("the guest sleeps") { try world.summary("echo").state == .inactive }
      try expectCleared(world, next)
      let again = try world.connect("127.0.0.1:8001")
      #expect(try again.ask("again") == "again")
    }
  }

  @Test("the daemon kills an orphan that ignored the stop signal of a killed daemon, after TimeoutStopSec=")
  func deactivating() throws {
    try World.with { world in
      try addBooted(world, arguments: "--ready --stop=ignore", settings: "[Guest]\nTimeoutStopSec=5s")
      let daemon = try world.startDaemon()
      try world.wake("echo")
      let sleep = try world.start([Built.dormouse, "sleep", "echo", "--now", "--runtime", world.runtime])
      try daemon.waitForLog("(SIGRTMIN+3)")
      killDaemon(daemon)
      #expect(sleep.wait() != .exited(0))
      let next = try world.startDaemon()
      try next.waitForLog("(SIGRTMIN+3)", times: 2)
      try next.waitForLog("stopped (")
      try next.until("the guest sleeps") { try world.summary("echo").state == .inactive }
      try expectCleared(world, next)
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
    }
  }

  @Test("the daemon finds everything that a daemon left which was killed at any moment of a start")
  func moments() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      var daemon = try world.startDaemon()
      for microseconds in stride(from: 0, through: 6000, by: 300) as StrideThrough<UInt32> {
        let client = try world.connect("127.0.0.1:8001")
        usleep(microseconds)
        killDaemon(daemon)
        let before = daemon.log.ranges(of: "echo: asleep; listening on").count
        daemon = try world.startDaemon()
        // Until then the orphan still listens at the address. Clients that were queued there may wake the next instance.
        try daemon.waitForLog("echo: asleep; listening on", times: before + 1)
        #expect(try world.ask("127.0.0.1:8001", "again") == "again")
        try world.sleep("echo")
        try expectCleared(world, daemon)
        withExtendedLifetime(client) {}
      }
    }
  }

  @Test(
    "a daemon that was killed between its record and the start of the guest does not impede the next daemon",
    arguments: [false, true])
  func early(hasCgroup: Bool) throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      try (world.cgroup + "\n").write(toFile: world.record(of: "echo"), atomically: false, encoding: .utf8)
      if hasCgroup { mkdir(world.cgroup(of: "echo"), 0o755) }
      let daemon = try world.startDaemon()
      try expectCleared(world, daemon)
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
    }
  }

  @Test("processes that a killed daemon left in the cgroup of a guest are killed before the guest starts")
  func leaderless() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      let stranger = try world.startStranger(in: "echo.1.guest")
      try world.startDaemon()
      #expect(stranger.wait() == .killed(SIGKILL))
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
    }
  }

  @Test("the orphan of a killed daemon whose file was removed meanwhile is stopped and forgotten")
  func withoutFile() throws {
    try World.with { world in
      try addBooted(world)
      let daemon = try world.startDaemon()
      try world.wake("echo")
      killDaemon(daemon)
      try world.removeGuest("echo")
      let next = try world.startDaemon()
      try next.waitForLog("stopped (powered off)")
      try next.until("the guest is forgotten") { try world.list().isEmpty }
      try expectCleared(world, next)
    }
  }

  @Test("of two orphans of one guest, the daemon adopts the newer and ends the older")
  func twoInstances() throws {
    try World.with { world in
      try addBooted(world)
      let daemon = try world.startDaemon()
      try world.wake("echo")
      try world.sleep("echo")
      try world.wake("echo")
      #expect(world.instance(of: "echo") == "echo.2")
      let pid = try world.leader(of: "echo")
      killDaemon(daemon)
      let stranger = try world.startStranger(in: "echo.1.guest")
      let next = try world.startDaemon()
      #expect(stranger.wait() == .killed(SIGKILL))
      try next.waitForLog("found running as process \(pid)")
      try next.until("the guest sleeps") { try world.summary("echo").state == .inactive }
      #expect(world.records(of: "echo").isEmpty)
      // No instance name is used again, and the next start removes what is left of the older instances.
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
      #expect(world.records(of: "echo") == [world.runtime + "/echo.3.cgroup"])
      #expect(world.cgroups(of: "echo") == [world.cgroup + "/echo.3.guest"])
    }
  }

  @Test("the orphan of a killed daemon in another cgroup is found by its record")
  func otherCgroup() throws {
    try World.with { world in
      try addBooted(world)
      let readiness = try NotifySocket(world.directory + "/first")
      let first = try world.start(
        [Built.dormoused, "--config", world.config, "--runtime", world.runtime],
        environment: ["NOTIFY_SOCKET": readiness.path], in: "first")
      try readiness.waitUntilReady(first)
      try world.wake("echo")
      let pid = try world.leader(of: "echo")
      first.signal(SIGKILL)
      _ = first.wait()
      let next = try world.startDaemon()
      try next.waitForLog("found running as process \(pid)")
      try next.waitForLog("stopped (powered off)")
      try next.until("the guest sleeps") { try world.summary("echo").state == .inactive }
      #expect(access(world.cgroup + "/first/echo.1.guest", F_OK) != 0)
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
    }
  }

  @Test(
    "an orphan with an invalid record is found, and no other process is affected",
    arguments: [
      "", "\n", "/no/such/cgroup\n", "relative\n", "/\n", "\u{0}\u{1}\u{7f}", "DIRECTORY\n",
      String(repeating: "x", count: 10_000),
    ])
  func wrongNote(note: String) throws {
    try World.with { world in
      try addBooted(world)
      let daemon = try world.startDaemon()
      try world.wake("echo")
      let pid = try world.leader(of: "echo")
      killDaemon(daemon)
      let innocent = world.directory + "/innocent/echo.1.guest/below"
      try FileManager.default.createDirectory(atPath: innocent, withIntermediateDirectories: true)
      try note.replacing("DIRECTORY", with: world.directory + "/innocent")
        .write(toFile: world.record(of: "echo"), atomically: false, encoding: .utf8)
      let next = try world.startDaemon()
      try next.waitForLog("found running as process \(pid)")
      try next.until("the guest sleeps") { try world.summary("echo").state == .inactive }
      try expectCleared(world, next)
      #expect(access(innocent, F_OK) == 0)
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
    }
  }
}
