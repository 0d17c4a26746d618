import ControlProtocol
import Glibc
import Testing

/// The states of the life cycle in which PID 1 runs.
enum Moment: String, CaseIterable {
  case launching, activating, active, freezing, frozen, draining, selfShutdown, deactivating
}

/// The program that is PID 1 of the guest.
enum FirstProcess: CaseIterable {
  /// tiny-init, which also answers.
  case tiny
  /// systemd of Debian; a service answers, and both have the sockets.
  case systemd
}

@Suite("A guest whose PID 1 is killed in any state")
struct UnplannedExitTests {
  @Test(
    "clients that a guest had not accepted when its PID 1 was killed, in any state, are served by the next instance",
    arguments: FirstProcess.allCases, Moment.allCases)
  func exits(first: FirstProcess, moment: Moment) throws {
    try World.with { world in
      let path = world.directory + "/socket"
      switch first {
      case .tiny: try addTiny(world, path, moment)
      case .systemd: try addSystemd(world, path, moment)
      }
      let daemon = try world.startDaemon()
      let scene = Scene(world: world, daemon: daemon, path: path, first: first)
      let clients = try scene.clients(killedAt: moment)
      try daemon.until("the daemon has noticed the end") {
        // Before the sync point it is a failed start.
        let log = daemon.log
        return log.contains("stopped (killed by signal 9") || moment == .launching && log.contains("cannot start: ")
      }
      for (number, client) in clients.enumerated() { #expect(try client.line() == "\(number)") }
      let status = try world.status("echo")
      #expect(status.wakes >= 2)
      #expect(status.counters.lost == [])
    }
  }

  private func addTiny(_ world: World, _ path: String, _ moment: Moment) throws {
    // With --ready the guest would leave the state activating before the test sees it.
    let arguments = moment == .activating ? [] : ["--ready", "--stop=ignore"]
    try world.addTiny(
      "echo", "ListenStream=127.0.0.1:8001", "ListenStream=[::1]:8002", "ListenStream=\(path)",
      "ListenDatagram=127.0.0.1:8004", arguments: arguments)
  }

  private func addSystemd(_ world: World, _ path: String, _ moment: Moment) throws {
    let sockets = """
      ListenStream=127.0.0.1:8001
      ListenStream=[::1]:8002
      ListenStream=\(path)
      ListenDatagram=127.0.0.1:8004
      """
    let endless = "/bin/sleep infinity"
    // The unit delays the start, or the shutdown, until the test has seen the state.
    let slow = moment == .activating ? "ExecStart=\(endless)" : "ExecStop=\(endless)\nRemainAfterExit=yes"
    let units = try world.writeUnits(
      [
        "hello.socket": "[Socket]\n\(sockets)\n",
        "hello.service": "[Service]\nExecStart=/usr/local/bin/tiny-init\n",
      ], wanted: ["slow.service": "[Service]\nType=oneshot\n\(slow)\n"])
    try world.addDebian("echo", image: "trixie", units: units, sockets)
  }
}

/// Brings a guest into each state, and kills it there.
private struct Scene {
  let world: World
  let daemon: Daemon
  let path: String
  let first: FirstProcess

  private var stopMessage: String {
    switch first {
    case .tiny: "(SIGTERM)"
    case .systemd: "(SIGRTMIN+3)"
    }
  }

  /// - Returns: the connections that had sent something and that the guest had not accepted when it was killed.
  func clients(killedAt moment: Moment) throws -> [Connection] {
    switch moment {
    case .launching: return try launching()
    case .activating:
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      return try killed(frozenSince())
    case .active:
      try world.wake("echo")
      return try killed(frozenSince())
    case .freezing: return try freezing()
    case .frozen:
      try world.wake("echo")
      let pid = try frozenSince()
      #expect(try world.dormouse("freeze", "echo").succeeded)
      return try unseen { try killed(pid) }
    case .draining: return try draining()
    case .selfShutdown:
      try world.wake("echo")
      try leave()
      try daemon.waitForLog("shutting down by itself")
      return try killed(frozenSince())
    case .deactivating:
      try world.wake("echo")
      try askToSleep()
      try daemon.waitForLog(stopMessage)
      return try killed(frozenSince())
    }
  }

  /// While the daemon is stopped after clone3(2), the first process cannot pass the sync point.
  private func launching() throws -> [Connection] {
    let injection = try Injection("clone3:delay_exit=10000000", into: daemon.pid, of: world)
    defer { injection.end() }
    let clients = try clients()
    try eventually("the first process exists") {
      Cgroups.leader(below: world.cgroup(of: "echo")).map { kill($0, SIGKILL) } != nil
    }
    return clients
  }

  /// The daemon does not learn that the whole guest is frozen.
  private func freezing() throws -> [Connection] {
    try world.wake("echo")
    let pid = try frozenSince()
    let events = world.cgroup(of: "echo") + "/cgroup.events"
    let injection = try Injection("pread64:retval=0", at: events, into: daemon.pid, of: world)
    defer { injection.end() }
    _ = try world.start([Built.dormouse, "freeze", "echo", "--now", "--runtime", world.runtime])
    try eventually("the daemon has polled for the freeze") { injection.log.ranges(of: "INJECTED").count >= 20 }
    return try killed(pid)
  }

  /// The state lasts while the guest may finish its connections; under load it may be over before the test sees it.
  private func draining() throws -> [Connection] {
    while true {
      try world.wake("echo")
      let before = daemon.log.ranges(of: stopMessage).count
      let inside = try world.connect("127.0.0.1:8001")
      #expect(try inside.ask("hello") == "hello")
      let pid = try frozenSince()
      try askToSleep()
      try daemon.until("the guest is stopping") { try world.summary("echo").state != .active }
      let clients = try unseen {
        if daemon.log.ranges(of: stopMessage).count > before {
          kill(pid, SIGKILL)
          return [Connection]()
        }
        return try killed(pid)
      }
      if !clients.isEmpty { return clients }
      try world.wait("echo", .inactive)
    }
  }

  private func leave() throws {
    switch first {
    case .tiny: #expect(try world.ask("127.0.0.1:8001", "notify X_SYSTEMD_UNIT_INACTIVE=sockets.target") == "ok")
    case .systemd:
      try require("nsenter", "-t", "\(world.leader(of: "echo"))", "-a", "systemctl", "--no-block", "poweroff")
    }
  }

  private func askToSleep() throws {
    _ = try world.start([Built.dormouse, "sleep", "echo", "--now", "--runtime", world.runtime])
  }

  /// PID 1 of the guest, whose processes accept no connection from now on.
  private func frozenSince() throws -> Int32 {
    let pid = try world.leader(of: "echo")
    try stopAll(below: world.cgroup(of: "echo"))
    return pid
  }

  private func killed(_ pid: Int32) throws -> [Connection] {
    let clients = try clients()
    kill(pid, SIGKILL)
    return clients
  }

  private func clients() throws -> [Connection] {
    let clients = try ["127.0.0.1:8001", "[::1]:8002", path, "127.0.0.1:8001", path].map { try world.connect($0) }
    let all = clients + [try world.datagrams(to: "127.0.0.1:8004")]
    for (number, client) in all.enumerated() { try client.send("\(number)") }
    return all
  }

  /// Runs `body` while the daemon is stopped, so that the daemon sees only the final state.
  private func unseen<Result>(_ body: () throws -> Result) throws -> Result {
    try stop(daemon.pid)
    defer { kill(daemon.pid, SIGCONT) }
    return try body()
  }
}
