import ControlProtocol
import Glibc
import Testing

/// Tests of the harness, on which all other tests of whole guests depend.
@Suite("A world of the test harness")
struct WorldTests {
  @Test("a world of the test harness has its own network, in which a passed listener answers")
  func network() throws {
    try World.with { world in
      _ = try world.start(["systemd-socket-activate", "-l", "127.0.0.1:8001", try Payload.tinyInit()])
      try world.untilListening("127.0.0.1:8001")
      #expect(try world.ask("127.0.0.1:8001", "anything") == "anything")
      #expect(try world.connect("127.0.0.1:8001").askList("fds").last?.hasPrefix("3 socket:") == true)
      #expect(try world.run("readlink", "/proc/self/ns/net").output != require("readlink", "/proc/self/ns/net"))
    }
  }

  @Test("the test harness supports datagrams and AF_UNIX")
  func kinds() throws {
    try World.with { world in
      let path = world.directory + "/socket"
      _ = try world.start(["systemd-socket-activate", "-l", path, try Payload.tinyInit()])
      _ = try world.start(["systemd-socket-activate", "-d", "-l", "127.0.0.1:8002", try Payload.tinyInit()])
      try world.untilListening(path)
      try world.untilListening("127.0.0.1:8002")
      #expect(try world.ask(path, "hello") == "hello")
      #expect(try world.datagrams(to: "127.0.0.1:8002").askByDatagram("first") == "first")
    }
  }

  @Test("a world of the test harness is removed with all its processes after the test, also when the test fails")
  func teardown() throws {
    var name = ""
    var cgroup = ""
    var child: Int32 = 0
    #expect(throws: Trouble.self) {
      try World.with { world in
        name = world.name
        cgroup = world.cgroup
        child = try world.start(["sleep", "1000"]).pid
        throw Trouble("on purpose")
      }
    }
    #expect(access(cgroup, F_OK) != 0)
    #expect(access("/run/netns/" + name, F_OK) != 0)
    #expect(access("/tmp/" + name, F_OK) != 0)
    #expect(!runs(child))
  }

  @Test("the test harness supports many clients at once")
  func manyClients() throws {
    try World.with { world in
      _ = try world.start(["systemd-socket-activate", "-l", "[::1]:8001", try Payload.tinyInit()])
      try world.untilListening("[::1]:8001")
      let clients = try world.connect("[::1]:8001", times: 100)
      for client in clients { try client.send("pid") }
      let answers = try Set(clients.map { try $0.line() })
      #expect(answers.count == 1)
    }
  }
}

@Suite("A host of the test harness")
struct HostTests {
  @Test("a host of the test harness boots without a failed unit and has the units of Dormouse")
  func boots() throws {
    try World.with { world in
      let host = try Host(in: world)
      let state = try host.run("systemctl", "is-system-running", "--wait").output
      let failed = try host.run("systemctl", "--failed", "--no-legend").output
      #expect(state == "running\n", "\(state)\(failed)")
      #expect(try host.show("dormouse@web.service", "LoadState") == "loaded")
      #expect(try host.run("/usr/local/sbin/dormoused", "--help").status != 127)
      try host.require("systemd-analyze", "--man=no", "verify", "dormouse@web.service", "dormouse.service")
    }
  }
}

extension World {
  /// Waits until a socket in the world listens at `address`.
  func untilListening(_ address: String) throws {
    try eventually("something listens at \(address)") { try run("ss", "-Hlntux").output.contains(" \(address) ") }
  }
}
