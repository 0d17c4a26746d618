import ControlProtocol
import Foundation
import Glibc
import Testing

@Suite("Clients of a stopping guest")
struct StopPendingTests {
  static let addresses = ["127.0.0.1:8001", "[::1]:8002", "PATH", "127.0.0.1:8004"]

  @Test("clients of a stopping guest are parked, and served by the next instance", arguments: addresses)
  func parked(address: String) throws {
    try World.with { world in
      try world.addHanging()
      let daemon = try world.startDaemon()
      try world.wake("echo")
      let pid = try #require(try world.summary("echo").pid)
      let stopping = try world.start([Built.dormouse, "sleep", "echo", "--now", "--runtime", world.runtime])
      try daemon.waitForLog("(SIGTERM)")
      let clients = try (1...5).map { number in
        let client = try world.client(address)
        try client.send("\(number)")
        return client
      }
      kill(pid, SIGKILL)
      for (number, client) in clients.enumerated() { #expect(try client.line() == "\(number + 1)") }
      #expect(stopping.wait() == .exited(0))
      let status = try world.status("echo")
      #expect(status.wakes == 2)
      #expect(status.counters[.parked] >= 1)
      #expect(status.counters.lost.isEmpty)
      // A second round, in which the sockets have changed their roles.
      let next = try #require(status.pid)
      let stoppingAgain = try world.start([Built.dormouse, "sleep", "echo", "--now", "--runtime", world.runtime])
      try daemon.until("the stop signal was sent again") { daemon.log.split(separator: "(SIGTERM)").count == 3 }
      kill(next, SIGKILL)
      #expect(stoppingAgain.wait() == .exited(0))
      let again = try world.client(address)
      #expect(try again.ask("again") == "again")
    }
  }

  @Test("clients of a stopping guest whose handshake is not complete are served by the next instance")
  func halfOpen() throws {
    try World.with { world in
      try world.addTiny(
        "echo", "ListenStream=127.0.0.1:8001", "DeferAcceptSec=60", arguments: ["--ready", "--stop=ignore"])
      let daemon = try world.startDaemon()
      for round in 1...2 {
        try world.wake("echo")
        let pid = try #require(try world.summary("echo").pid)
        let stopping = try world.start([Built.dormouse, "sleep", "echo", "--now", "--runtime", world.runtime])
        try daemon.until("the stop signal was sent") { daemon.log.ranges(of: "(SIGTERM)").count == round }
        let client = try world.connect("127.0.0.1:8001")
        kill(pid, SIGKILL)
        #expect(stopping.wait() == .exited(0))
        #expect(try client.ask("hello") == "hello")
        client.close()
      }
    }
  }

  @Test("a guest that must stop gets time to finish its open connections")
  func drained() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      let daemon = try world.startDaemon()
      // On a busy machine the time may be over before the test uses it.
      var answers: [String] = []
      while answers.count < 10, answers.last != "still" {
        let client = try world.connect("127.0.0.1:8001")
        #expect(try client.ask("hello") == "hello")
        let stopping = try world.start([Built.dormouse, "sleep", "echo", "--now", "--runtime", world.runtime])
        try daemon.until("the guest is stopping") { try world.summary("echo").state != .active }
        answers.append((try? client.ask("still")) ?? "none")
        client.close()
        #expect(stopping.wait() == .exited(0))
        #expect(try world.status("echo").lastStop?.killed == false)
      }
      #expect(answers.last == "still")
    }
  }

  @Test(
    "clients of a guest that shuts down by itself are parked from its first sign on, and served by the next instance",
    arguments: ["STATUS=Activating special unit poweroff.target...", "X_SYSTEMD_UNIT_INACTIVE=sockets.target"])
  func selfShutdown(sign: String) throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      let daemon = try world.startDaemon()
      let inside = try world.connect("127.0.0.1:8001")
      #expect(try inside.ask("notify \(sign)") == "ok")
      try daemon.waitForLog("shutting down by itself")
      let clients = try world.connect("127.0.0.1:8001", times: 5)
      for client in clients { try client.send("hello") }
      #expect(try world.summary("echo").state == .deactivating)
      try inside.send("reboot")
      for client in clients { #expect(try client.line() == "hello") }
      let status = try world.status("echo")
      #expect(status.lastWake?.cause == .reboot)
      #expect(status.lastStop?.cause == .reboot)
      #expect(status.counters[.parked] == 5)
    }
  }

  @Test("queued clients that the kernel does not move are counted as undrained only if the stopping guest ended them")
  func undrained() throws {
    try World.with { world in
      let path = world.directory + "/socket"
      try world.addTiny("echo", "ListenStream=\(path)", settings: "[Guest]\nTimeoutStopSec=5s")
      let daemon = try world.startDaemon()
      let inside = try world.connect(path)
      #expect(try inside.ask("hello") == "hello")
      let pid = try #require(try world.summary("echo").pid)
      try stop(pid)
      let clients = try world.connect(path, times: 5)
      for client in clients { try client.send("hello") }
      // The guest accepts one of them, announces its shutdown, and does nothing after that.
      try inside.send("notify X_SYSTEMD_UNIT_INACTIVE=sockets.target\nhang")
      kill(pid, SIGCONT)
      try daemon.waitForLog("shutting down by itself")
      try world.sleep("echo")
      for client in clients.dropFirst() { #expect(try client.line() == "hello") }
      #expect(try world.status("echo").counters[.undrained] == 0)
      #expect(try world.status("echo").counters[.handedOver] == 5)
    }
  }

  @Test("clients that a stopping guest has not accepted are drained from it, and served by the next instance")
  func taken() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", "ListenDatagram=127.0.0.1:8004")
      try world.startDaemon()
      try world.wake("echo")
      let first = try #require(try world.summary("echo").pid)
      // The guest accepts no connection before it ends.
      try stop(first)
      let clients = try world.connect("127.0.0.1:8001", times: 10)
      let sender = try world.datagrams(to: "127.0.0.1:8004")
      for client in clients + [sender] { try client.send("hello") }
      let stopping = try world.start([Built.dormouse, "sleep", "echo", "--now", "--runtime", world.runtime])
      #expect(stopping.wait(seconds: 1) == nil)
      kill(first, SIGCONT)
      for client in clients + [sender] { #expect(try client.line() == "hello") }
      #expect(stopping.wait() != nil)
      #expect(try world.summary("echo").pid != first)
    }
  }

  @Test("clients that arrive in the last moment cancel a stop and are served")
  func cancelled() throws {
    try World.with { world in
      let path = world.directory + "/socket"
      try world.addTiny("echo", "ListenStream=\(path)", "ListenStream=127.0.0.1:8001")
      let daemon = try world.startDaemon()
      try world.wake("echo")
      let pid = try #require(try world.summary("echo").pid)
      // The guest is stopped with a client in its queue when the request to sleep comes.
      try stop(pid)
      let early = try world.connect("127.0.0.1:8001")
      // Others arrive when clients are diverted (after membarrier(2)), before the last scan.
      let injection = try Injection("membarrier:signal=SIGSTOP:when=1", into: daemon.pid, threads: true, of: world)
      let log = world.directory + "/sleep"
      let asking = try world.start([Built.dormouse, "sleep", "echo", "--runtime", world.runtime], log: log)
      try eventually("the daemon is stopped") { injection.log.contains("stopped by SIGSTOP") }
      let late = try world.connect("127.0.0.1:8001")
      // A path leads to the guest until the scan finds it idle, because clients at a standby path could not be moved back.
      let atPath = try world.connect(path)
      // Before it goes on, which would call membarrier(2) on another thread too.
      injection.end()
      kill(daemon.pid, SIGCONT)
      #expect(asking.wait() == .exited(1))
      let errors = text(of: log + ".err")
      #expect(errors.contains("3 connections are open ("))
      #expect(errors.ranges(of: "anyway").count == 1)
      #expect(daemon.log.contains("stop cancelled: 3 connections are open ("))
      kill(pid, SIGCONT)
      for client in [early, late, atPath] { #expect(try client.ask("hello") == "hello") }
      let status = try world.status("echo")
      #expect(status.pid == pid)
      #expect(status.counters[.unparked] == 1)
      // The guest can be stopped when these clients have disconnected.
      for client in [early, late, atPath] { client.close() }
      try eventually("the guest is idle") { try world.dormouse("sleep", "echo").succeeded }
    }
  }

  @Test(
    "a client that connects and disconnects in the last moment cancels a stop, because the guest was just used",
    arguments: ["", "IdleFreezeSec=50ms"])
  func cameAndWent(settings: String) throws {
    try World.with { world in
      try world.addTiny(
        "echo", "ListenStream=127.0.0.1:8001", settings: "[Guest]\nIdleStopSec=500ms\n\(settings)")
      let daemon = try world.startDaemon()
      let early = try world.connect("127.0.0.1:8001")
      #expect(try early.ask("hello") == "hello")
      let pid = try world.leader(of: "echo")
      // The daemon is about to load the steering program, and no client was diverted yet.
      let injection = try Injection("bpf:signal=SIGSTOP:when=1", into: daemon.pid, of: world)
      early.close()
      try eventually("the daemon is stopped") { injection.log.contains("stopped by SIGSTOP") }
      let late = try world.connect("127.0.0.1:8001")
      #expect(try late.ask("hello") == "hello")
      late.close()
      try eventually("the kernel has announced the end of the connection") { daemon.hasQueuedMessage }
      kill(daemon.pid, SIGCONT)
      try daemon.waitForLog("stop cancelled")
      injection.end()
      #expect(!daemon.log.contains("stopped ("))
      #expect(runs(pid))
    }
  }

  @Test("clients find the socket at an AF_UNIX path at any moment, under the same name", arguments: 1...2)
  func samePath(round: Int) throws {
    try World.with { world in
      let path = world.directory + "/socket"
      try world.addTiny("echo", "ListenStream=\(path)", "ListenSequentialPacket=\(path)-packets")
      try world.startDaemon()
      for count in 1...4 {
        #expect(try world.ask(path, "\(count)") == "\(count)")
        #expect(try world.connectPackets(path + "-packets").ask("\(count)") == "\(count)")
        #expect(try world.status("echo").sockets.allSatisfy { $0.adopted == true })
        try world.sleep("echo")
      }
      #expect(try world.status("echo").wakes == 4)
    }
  }

  @Test("clients of a killed daemon are served by its orphan, and then by the next instance")
  func daemonKilled() throws {
    try World.with { world in
      let path = world.directory + "/socket"
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", "ListenStream=\(path)")
      let first = try world.startDaemon()
      // After a stop, the standby socket was in use.
      try world.wake("echo")
      try world.sleep("echo")
      try world.wake("echo")
      let pid = try #require(try world.summary("echo").pid)
      first.child.signal(SIGKILL)
      _ = first.child.wait()
      try stop(pid)
      let clients = try ["127.0.0.1:8001", path].map { try world.connect($0) }
      for client in clients { try client.send("hello") }
      try world.startDaemon()
      kill(pid, SIGCONT)
      for client in clients { #expect(try client.line() == "hello") }
      for client in clients { client.close() }
      try world.wait("echo", .inactive)
      for address in ["127.0.0.1:8001", path] { #expect(try world.ask(address, "again") == "again") }
    }
  }
}

extension World {
  /// Adds a guest with a listener of each kind that takes some time to stop.
  fileprivate func addHanging() throws {
    try addTiny(
      "echo", "ListenStream=127.0.0.1:8001", "ListenStream=[::1]:8002", "ListenStream=\(directory)/socket",
      "ListenDatagram=127.0.0.1:8004", arguments: ["--ready", "--stop=ignore"])
  }

  fileprivate func client(_ address: String) throws -> Connection {
    if address.hasSuffix("8004") { return try datagrams(to: address) }
    return try connect(address == "PATH" ? directory + "/socket" : address)
  }
}

extension Daemon {
  /// Whether a message of sock_diag(7) is queued for the daemon.
  fileprivate var hasQueuedMessage: Bool {
    text(of: "/proc/\(pid)/net/netlink").split(separator: "\n").dropFirst().contains { line in
      let fields = line.split(separator: " ")
      // The columns are the protocol and the bytes in the queue.
      return fields[1] == "4" && fields[4] != "0"
    }
  }
}
