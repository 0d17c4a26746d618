import ControlProtocol
import Glibc
import Testing

@Suite("A daemon without free descriptors")
struct DescriptorFaultTests {
  /// A number of descriptors that exceeds the need of a start at any moment.
  private static let enough = 48

  @Test("a start that fails anywhere for lack of descriptors is logged and paused, and succeeds when there are some")
  func starts() throws {
    try World.with { world in
      for left in 0..<Self.enough { try world.addTiny("g\(left)", "ListenStream=127.0.0.1:\(8100 + left)") }
      try world.addTiny("warm", "ListenStream=127.0.0.1:8001")
      let daemon = try world.startDaemon()
      try world.wake("warm")
      try world.sleep("warm")
      let before = daemon.descriptors.count
      var clients: [Connection] = []
      for left in 0..<Self.enough {
        if left % 8 == 0 || left == Self.enough - 1 {
          // Before one of them has failed so often that its clients are refused. And the last start needs all descriptors, so no other
          // connection may be in progress.
          try daemon.leaveDescriptorsEnough()
          for (left, client) in clients.enumerated() { #expect(try client.ask("hello \(left)") == "hello \(left)") }
        }
        try daemon.leaveDescriptors(left)
        clients.append(try world.connect("127.0.0.1:\(8100 + left)"))
        try daemon.until("g\(left) is paused or ready") {
          daemon.log.contains("g\(left): cannot start: ") || daemon.log.contains("g\(left): ready")
        }
      }
      #expect(daemon.log.contains("g0: cannot start: "))
      #expect(!daemon.log.contains("g\(Self.enough - 1): cannot start: "))
      #expect(daemon.log.ranges(of: "cannot start: ").count == daemon.log.ranges(of: "Too many open files").count)
      try daemon.leaveDescriptorsEnough()
      for (left, client) in clients.enumerated() { #expect(try client.ask("hello \(left)") == "hello \(left)") }
      clients = []
      for left in 0..<Self.enough { try world.sleep("g\(left)") }
      try daemon.until("every descriptor is closed") { daemon.descriptors.count <= before }
      #expect(Cgroups.processes(below: world.cgroup) == [daemon.pid])
    }
  }

  @Test("many starts, failed or not, leak no descriptor of the daemon")
  func leaks() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", "ListenDatagram=127.0.0.1:8002")
      try world.addTiny("broken", "ListenStream=127.0.0.1:8003")
      unlink(world.root(of: "broken") + "/sbin/init")
      let daemon = try world.startDaemon()
      try world.wake("echo")
      try world.sleep("echo")
      #expect(try world.dormouse("wake", "broken").succeeded == false)
      let before = daemon.descriptors.count
      for _ in 0..<10 {
        try world.wake("echo")
        try world.sleep("echo")
        #expect(try world.dormouse("wake", "broken").succeeded == false)
      }
      try daemon.until("every descriptor is closed") { daemon.descriptors.count <= before }
    }
  }

  @Test("a guest that ignores its stop signal is killed with its cgroup even when the daemon lacks descriptors")
  func kills() throws {
    try World.with { world in
      try world.addTiny(
        "echo", "ListenStream=127.0.0.1:8001", arguments: ["--ready", "--stop=ignore"],
        settings: "[Guest]\nTimeoutStopSec=2s\nIdleStopSec=1s")
      let daemon = try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      #expect(try client.ask("hello") == "hello")
      // A guest may answer before the daemon has taken hold of it.
      try daemon.waitForLog("ready after")
      let stranger = try world.startStranger(in: "echo.1.guest")
      try daemon.leaveDescriptors(0)
      client.close()
      try daemon.waitForLog("stopped (killed by signal 9")
      #expect(stranger.wait() == .killed(SIGKILL))
      try daemon.leaveDescriptorsEnough()
      #expect(world.cgroups(of: "echo").isEmpty)
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
    }
  }

  @Test("an idle guest is stopped and new clients are parked by means of the emergency descriptors")
  func stops() throws {
    try World.with { world in
      let path = "\(world.directory)/echo.sock"
      try world.addTiny(
        "echo", "ListenStream=127.0.0.1:8001", "ListenStream=[::1]:8002", "ListenStream=\(path)",
        "ListenDatagram=127.0.0.1:8003", arguments: ["--ready", "--stop=ignore"],
        settings: "[Guest]\nIdleStopSec=1s")
      let daemon = try world.startDaemon()
      let first = try world.connect("127.0.0.1:8001")
      #expect(try first.ask("hello") == "hello")
      // A guest may answer before the daemon has taken hold of it.
      try daemon.waitForLog("ready after")
      let pid = try world.leader(of: "echo")
      try daemon.leaveDescriptors(0)
      first.close()
      try daemon.waitForLog("(SIGTERM)")
      #expect(!daemon.log.contains("cannot park") && !daemon.log.contains("cannot unpark"))
      // The guest ends only when it is killed; new clients wait for the next instance.
      let clients = try ["127.0.0.1:8001", "[::1]:8002", path].map { try world.connect($0) }
      kill(pid, SIGKILL)
      try daemon.waitForLog("stopped (killed by signal 9")
      try daemon.leaveDescriptorsEnough()
      for client in clients { #expect(try client.ask("again") == "again") }
      #expect(try world.status("echo").counters[.parked] == 3)
    }
  }

  @Test("a lack of descriptors does not make a guest look as if it had not adopted its listeners")
  func adoption() throws {
    try World.with { world in
      try world.addTiny(
        "echo", "ListenStream=127.0.0.1:8001", arguments: [], settings: "[Guest]\nIdleStopSec=1s")
      let daemon = try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      #expect(try client.ask("hello") == "hello")
      // The guest may run before the daemon has its pidfd.
      try daemon.waitForLog("started as process")
      try daemon.leaveDescriptors(0)
      #expect(try client.ask("notify READY=1") == "ok")
      try daemon.waitForLog("ready after")
      #expect(try world.ask("127.0.0.1:8001", "second") == "second")
      try daemon.leaveDescriptorsEnough()
      #expect(!daemon.log.contains("nobody in the guest serves at"))
      #expect(try client.ask("still there") == "still there")
      #expect(try world.ask("127.0.0.1:8001", "third") == "third")
      try daemon.until("the daemon has seen that the listener was adopted") {
        try world.status("echo").sockets[0].adopted == true
      }
    }
  }

  @Test("clients of a listener that was not adopted are refused when no descriptor is left, too")
  func refusal() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", arguments: ["--do=close", "--ready"])
      let daemon = try world.startDaemon()
      _ = try world.dormouse("wake", "echo")
      try daemon.waitForLog("nobody in the guest serves at")
      try daemon.leaveDescriptors(0)
      #expect(try world.connect("127.0.0.1:8001").hasEnded())
      try daemon.leaveDescriptorsEnough()
    }
  }

  @Test("a guest with 900 sockets starts where the soft limit of descriptors is 1024, and gets a soft limit of its own")
  func manySockets() throws {
    try World.with { world in
      let sockets = (0..<900).map { "ListenStream=127.0.0.1:\(9000 + $0)" }.joined(separator: "\n")
      try world.addTiny("echo", sockets)
      try world.startDaemon(under: ["prlimit", "--nofile=1024:"])
      #expect(try world.ask("127.0.0.1:9899", "hello") == "hello")
      #expect(try world.ask("127.0.0.1:9000", "hello") == "hello")
      let limits = text(of: "/proc/\(try world.leader(of: "echo"))/limits").split(separator: "\n")
      let files = try #require(limits.first { $0.hasPrefix("Max open files") })
      #expect(files.split(separator: " ")[3] == "1024")
    }
  }

  @Test("a guest for whose sockets the descriptors do not suffice is told to need more, and how many")
  func tooManySockets() throws {
    try World.with { world in
      let sockets = (0..<300).map { "ListenStream=127.0.0.1:\(9000 + $0)" }.joined(separator: "\n")
      try world.addTiny("echo", sockets)
      try world.startDaemon(under: ["prlimit", "--nofile=1024:1024"])
      let wake = try world.dormouse("wake", "echo")
      #expect(!wake.succeeded)
      let words = "for its 300 sockets alone a guest needs 1800 descriptors while it runs: raise LimitNOFILE="
      #expect(wake.errors.contains(words))
    }
  }
}
