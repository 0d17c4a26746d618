import ControlProtocol
import Foundation
import Glibc
import Testing

@Suite("The descriptor store of the service manager")
struct StoreTests {
  @Test("the descriptor store keeps the daemon's own sockets and their queued clients when the daemon is killed")
  func killed() throws {
    try World.with { world in
      let host = try makeHost(world)
      try host.require("systemctl", "start", "dormouse.service")
      let path = host.path("/run/echo")
      for address in [Self.port, path] { #expect(try world.ask(address, "hello") == "hello") }
      for round in 1...2 {
        let leader = try #require(world.guestLeader("echo"))
        try stop(leader)
        let clients = try [Self.port, path].flatMap { try world.connect($0, times: 5) }
        for client in clients { try client.send("\(round)") }
        try host.killDaemon(withGuest: leader)
        for client in clients { #expect(try client.line() == "\(round)") }
      }
      #expect(try host.show("dormouse.service", "NRestarts") == "2")
    }
  }

  @Test(
    "the descriptor store keeps parked clients when the daemon is killed and the stopping guest closes connections",
    arguments: ["hang", "flush"])
  func killedWhileDraining(guestThen: String) throws {
    try World.with { world in
      let arguments = guestThen == "flush" ? ["--ready", "--stop=flush"] : ["--ready", "--stop=ignore"]
      let host = try makeHost(world, arguments: arguments)
      try host.require("systemctl", "start", "dormouse.service")
      let path = host.path("/run/echo")
      #expect(try world.ask(path, "hello") == "hello")
      try host.startStop("dormouse.service", "/run/dormouse", "echo")
      let clients = try waitingClients(world, path)
      let leader = try #require(world.guestLeader("echo"))
      if guestThen == "hang" { try stop(leader) }
      try host.killDaemon(withGuest: leader)
      for client in clients { #expect(try client.line() == "again") }
      // The standby sockets of the path and of UDP are permanent.
      try host.stored(5)
      #expect(try world.ask(Self.port, "hello") == "hello")
      #expect(try world.datagrams(to: Self.datagramPort).ask("hello") == "hello")
    }
  }

  @Test(
    "the descriptor store has a standby socket before clients can reach it, so a killed daemon loses no client",
    arguments: [("ListenStream", "listen"), ("ListenDatagram", "bind")])
  func killedWhileOpening(setting: String, call: String) throws {
    try World.with { world in
      try world.addTiny("echo", "\(setting)=\(Self.port)")
      let host = try Host(in: world, binds: ["\(world.directory):\(world.directory)"])
      try host.require("systemctl", "start", "dormouse.service")
      func client() throws -> Connection {
        setting == "ListenStream" ? try world.connect(Self.port) : try world.datagrams(to: Self.port)
      }
      #expect(try client().ask("hello") == "hello")
      let leader = try #require(world.guestLeader("echo"))
      try stop(leader)
      let daemon = Cgroups.processes(below: world.serviceCgroup("dormouse.service") + "/supervisor")[0]
      // The daemon is stopped after the call, when the kernel may steer clients to either of the two sockets.
      let injection = try Injection("\(call):signal=SIGSTOP:when=1", into: daemon, of: world)
      _ = try host.start("dormouse", "sleep", "echo", "--now", "--runtime", "/run/dormouse")
      try eventually("the daemon is stopped") { injection.log.contains("stopped by SIGSTOP") }
      let clients = try (1...20).map { _ in try client() }
      for (number, client) in clients.enumerated() { try client.send("\(number)") }
      try host.killDaemon(withGuest: leader)
      for (number, client) in clients.enumerated() { #expect(try client.line() == "\(number)") }
    }
  }

  @Test(
    "the descriptor store has the standby sockets for a daemon that finds an orphan, whose clients are parked too"
  )
  func leftRunning() throws {
    try World.with { world in
      let host = try makeHost(world, arguments: ["--ready", "--stop=flush"])
      try host.require("systemctl", "start", "dormouse.service")
      let path = host.path("/run/echo")
      func endGuest() throws { kill(try #require(world.guestLeader("echo")), SIGKILL) }
      #expect(try world.ask(path, "hello") == "hello")
      // After a stop, the standby sockets exist.
      try host.startStop("dormouse.service", "/run/dormouse", "echo")
      let first = try waitingClients(world, path)
      try endGuest()
      for client in first { #expect(try client.line() == "again") }
      for client in first { client.close() }
      try host.require("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "dormouse.service")
      try host.waitForJournal("dormouse.service", "(SIGTERM)", times: 2)
      let clients = try waitingClients(world, path)
      try endGuest()
      for client in clients { #expect(try client.line() == "again") }
    }
  }

  @Test("the descriptor store keeps the daemon's own sockets however often the daemon is killed")
  func killedAgainAndAgain() throws {
    try World.with { world in
      let host = try makeHost(world)
      try host.require("systemctl", "start", "dormouse.service")
      let client = try host.killRepeatedly(6) { try world.connect(Self.port) }
      #expect(try client.ask("hello") == "hello")
      try host.stored(3)
      let records = Array(repeating: "dormouse.record.", count: 2)
      #expect(try host.storedKinds() == records + Array(repeating: "dormouse.socket.", count: 3))
    }
  }

  @Test("the descriptor store keeps sockets over a restart of the service, which refuses no connection")
  func restart() throws {
    try World.with { world in
      let host = try makeHost(world)
      try host.require("systemctl", "start", "dormouse.service")
      let path = host.path("/run/echo")
      let sender = try world.datagrams(to: Self.datagramPort)
      for round in 1...3 {
        let restarting = try host.start("systemctl", "restart", "dormouse.service")
        repeat {
          for address in [Self.port, path] { #expect(try world.ask(address, "\(round)") == "\(round)") }
        } while restarting.isRunning
        #expect(restarting.wait() == .exited(0))
        #expect(try sender.askByDatagram("\(round)") == "\(round)")
      }
    }
  }

  @Test("the descriptor store keeps parked clients of a socket from a socket unit when the daemon is killed")
  func passed() throws {
    try World.with { world in
      let unit = """
        [Socket]
        ListenStream=\(Self.port)
        ListenStream=/run/echo
        ListenDatagram=\(Self.datagramPort)
        TriggerLimitIntervalSec=0

        """
      let host = try makeHost(world, units: ["dormouse@echo.socket": unit], arguments: ["--ready", "--stop=flush"])
      let path = host.path("/run/echo")
      #expect(try world.ask(path, "hello") == "hello")
      try host.startStop("dormouse@echo.service", "/run/dormouse/echo", "echo")
      let clients = try waitingClients(world, path)
      try host.require("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "dormouse@echo.service")
      for client in clients { #expect(try client.line() == "again") }
    }
  }

  @Test("the descriptor store loses the sockets of a removed guest, and a socket with other options is not reused")
  func forgets() throws {
    try World.with { world in
      let host = try makeHost(world)
      try world.addTiny("other", "ListenStream=127.0.0.1:8009", "ListenStream=127.0.0.1:8010")
      try host.require("systemctl", "start", "dormouse.service")
      try host.stored(5)
      try world.removeGuest("other")
      try host.require("systemctl", "reload", "dormouse.service")
      try host.stored(3)
      // A socket with another mode must be created anew.
      let file = "\(world.config)/echo.guest"
      try world.addGuest("echo", text(of: file).replacingOccurrences(of: "[Guest]", with: "SocketMode=0600\n[Guest]"))
      try host.require("systemctl", "restart", "dormouse.service")
      #expect(try world.ask(host.path("/run/echo"), "hello") == "hello")
      #expect(try host.require("stat", "--format=%a", "/run/echo") == "600\n")
      try host.stored(3)
      // The store is empty after a stop of the service, unlike after a restart.
      try host.require("systemctl", "stop", "dormouse.service")
      try host.stored(0)
      #expect(throws: (any Error).self) { try world.connect(Self.port) }
    }
  }

  @Test(
    "one socket of a path is left, and no file beside it, however often primary and standby were exchanged",
    arguments: [1, 2], ["no", "yes"])
  func leavesOne(stops: Int, removed: String) throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=/run/echo", "RemoveOnStop=\(removed)")
      let host = try Host(in: world, binds: ["\(world.directory):\(world.directory)"])
      let (path, beside) = (host.path("/run/echo"), host.path("/run/.echo.dormouse"))
      func stopGuest() throws {
        #expect(try world.ask(path, "hello") == "hello")
        try host.require("dormouse", "sleep", "echo", "--now", "--runtime", "/run/dormouse")
        #expect(access(beside, F_OK) == 0)
      }
      try host.require("systemctl", "start", "dormouse.service")
      for _ in 1...stops { try stopGuest() }
      try host.require("systemctl", "restart", "dormouse.service")
      #expect(access(beside, F_OK) != 0)
      try host.stored(1)
      for _ in 1...stops { try stopGuest() }
      try host.require("systemctl", "stop", "dormouse.service")
      #expect(access(beside, F_OK) != 0)
      #expect((access(path, F_OK) == 0) == (removed == "no"))
    }
  }

  @Test("the descriptor store keeps clients of a path for the next daemon, also with RemoveOnStop=yes")
  func removedPath() throws {
    try World.with { world in
      try world.addTiny(
        "echo", "ListenStream=/run/echo", "RemoveOnStop=yes", arguments: ["--ready", "--stop=ignore"],
        settings: "[Guest]\nTimeoutStopSec=1s")
      let host = try Host(in: world, binds: ["\(world.directory):\(world.directory)"])
      let path = host.path("/run/echo")
      try host.require("systemctl", "start", "dormouse.service")
      #expect(try world.ask(path, "hello") == "hello")
      try host.startStop("dormouse.service", "/run/dormouse", "echo")
      let client = try world.connect(path)
      try client.send("again")
      try host.require("systemctl", "restart", "dormouse.service")
      #expect(try client.line() == "again")
    }
  }

  private static let port = "127.0.0.1:8001"
  private static let datagramPort = "127.0.0.1:8004"

  /// Connects a client to each listener and sends a request.
  private func waitingClients(_ world: World, _ path: String) throws -> [Connection] {
    let clients = try [Self.port, path].flatMap { try world.connect($0, times: 5) }
    let senders = try (1...5).map { _ in try world.datagrams(to: Self.datagramPort) }
    for client in clients + senders { try client.send("again") }
    return clients + senders
  }

  /// Boots a host with a tiny guest that has a listener of each kind.
  private func makeHost(
    _ world: World, units: [String: String] = [:], arguments: [String] = ["--ready"]
  ) throws -> Host {
    try world.addTiny(
      "echo", "ListenStream=\(Self.port)", "ListenStream=/run/echo", "ListenDatagram=\(Self.datagramPort)",
      arguments: arguments)
    return try Host(in: world, units: units, binds: ["\(world.directory):\(world.directory)"])
  }
}

extension Host {
  /// Kills the daemon, and PID 1 of a guest, which would outlive it.
  fileprivate func killDaemon(withGuest leader: Int32) throws {
    try require("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "dormouse.service")
    kill(leader, SIGKILL)
  }

  /// Waits until this number of sockets of the daemon is stored, and the two records that describe them.
  fileprivate func stored(_ count: Int) throws {
    let all = count == 0 ? 0 : count + 2
    try eventually("\(count) sockets are stored") {
      try show("dormouse.service", "NFileDescriptorStore") == "\(all)"
    }
  }

  /// The names of the stored descriptors in systemd, without their numbers, in order.
  fileprivate func storedKinds() throws -> [String] {
    let table = try require("systemd-analyze", "fdstore", "--no-pager", "dormouse.service")
    let names = table.split(separator: "\n").compactMap { $0.split(separator: " ").first }
      .filter { $0.hasPrefix("dormouse.") || $0 == "stored" }
    return names.map { String($0.reversed().drop { $0.isNumber }.reversed()) }.sorted()
  }

  /// Kills the daemon several times, as soon as it runs; `body` is called after the last time, before the next daemon runs.
  fileprivate func killRepeatedly<Result>(_ times: Int, _ body: () throws -> Result) throws -> Result {
    for time in 1...times {
      try eventually("the daemon runs after \(time - 1) ends") {
        try show("dormouse.service", "NRestarts") == "\(time - 1)" && show("dormouse.service", "SubState") == "running"
      }
      try require("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "dormouse.service")
    }
    return try body()
  }

  /// Stops a guest that ignores its stop signal; returns when the signal was sent.
  fileprivate func startStop(_ unit: String, _ runtime: String, _ guest: String) throws {
    _ = try start("dormouse", "sleep", guest, "--now", "--runtime", runtime)
    try waitForJournal(unit, "(SIGTERM)")
  }

  fileprivate func waitForJournal(_ unit: String, _ text: String, times: Int = 1) throws {
    try eventually("\"\(text)\" is in the journal \(times) times") {
      try require("journalctl", "--unit=\(unit)", "--output=cat").ranges(of: text).count >= times
    }
  }
}

extension World {
  /// The cgroup of a service of the host.
  fileprivate func serviceCgroup(_ unit: String) -> String { "\(cgroup)/host/payload/machine.slice/\(unit)" }

  /// Process 1 of a guest of the host.
  fileprivate func guestLeader(_ guest: String) -> Int32? {
    let slice = "\(cgroup)/host/payload/machine.slice"
    let scopes = names(in: slice).filter { $0.hasPrefix("dormouse-\(guest).") && $0.hasSuffix(".scope") }
    return scopes.compactMap { Cgroups.leader(below: "\(slice)/\($0)") }.first
  }
}
