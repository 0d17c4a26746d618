import ControlProtocol
import Foundation
import Testing

@Suite("Under systemd")
struct PairingTests {
  static let socket = """
    [Socket]
    ListenStream=127.0.0.1:8001
    FileDescriptorName=http
    TriggerLimitIntervalSec=0
    """

  @Test("under systemd, a connection starts the service and is served, and the guest sleeps again, ten times")
  func rounds() throws {
    try World.with { world in
      let host = try makeHost(world, idleStop: "200ms")
      for round in 1...10 {
        let answer = try world.ask("127.0.0.1:8001", "round \(round)")
        #expect(answer == "round \(round)")
        try eventually("the service has ended") { try host.show("dormouse@web.service", "ActiveState") == "inactive" }
        #expect(try host.show("dormouse@web.service", "Result") == "success")
        #expect(try host.show("dormouse@web.socket", "ActiveState") == "active")
        #expect(Cgroups.processes(below: world.cgroup + "/host/payload/machine.slice") == [])
      }
    }
  }

  @Test("under systemd, the command line finds the guest of a service, and `systemctl stop` stops it cleanly")
  func stop() throws {
    try World.with { world in
      let host = try makeHost(world, idleStop: "infinity")
      try host.require("systemctl", "start", "dormouse@web.service")
      #expect(try host.show("dormouse@web.service", "ActiveState") == "active")
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      try host.require("dormouse", "wake", "web", "--runtime", "/run/dormouse/web")
      let list = try host.require("dormouse", "list", "--json", "--runtime", "/run/dormouse/web")
      let guest = try #require(try JSONDecoder().decode([GuestSummary].self, from: Data(list.utf8)).first)
      #expect(guest.state == .active)
      try host.require("systemctl", "stop", "dormouse@web.service")
      #expect(try host.show("dormouse@web.service", "Result") == "success")
      #expect(Cgroups.processes(below: world.cgroup + "/host/payload/machine.slice") == [])
      let journal = try host.require("journalctl", "--unit=dormouse@web.service", "--output=cat")
      #expect(journal.contains("waking: a request\n"))
      #expect(journal.contains("SIGRTMIN+3"))
      #expect(!journal.contains("killing"))
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
    }
  }

  @Test("under systemd, the command line knows a guest that sleeps without a daemon, and names who holds its socket")
  func asleep() throws {
    try World.with { world in
      let host = try makeHost(world, idleStop: "infinity")
      let note = "asleep, its socket is held by systemd (dormouse@web.socket)"
      let list = try host.require("dormouse", "list")
      #expect(list.contains("web    inactive") && list.contains("127.0.0.1:8001\nweb: \(note)\n"), "\(list)")
      #expect(try host.require("dormouse", "status", "web").contains("Note: \(note)"))
      #expect(try host.require("dormouse", "why", "web").contains("wakes it: 127.0.0.1:8001"))
      #expect(try host.run("dormouse", "freeze", "web").errors.contains("\(note); `dormouse wake web` starts it"))
      #expect(try host.run("dormouse", "wake", "other").status == EX_UNAVAILABLE)
      // A second holder cannot bind the socket, and says who has it.
      try host.require(
        "systemd-run", "--unit=other", "--property=Type=notify", "dormoused", "--runtime", "/run/other", "web")
      let other = try host.require("dormouse", "why", "web", "--runtime", "/run/other")
      #expect(other.contains("Address already in use (systemd may hold it by dormouse@web.socket"), "\(other)")
      try host.require("systemctl", "stop", "other")
      try host.require("dormouse", "wake", "web")
      #expect(try host.show("dormouse@web.service", "ActiveState") == "active")
      #expect(try host.require("dormouse", "list").contains("active"))
      // What does not exist does not start.
      #expect(try host.run("systemctl", "start", "dormouse@none.service").succeeded == false)
      #expect(try host.show("dormouse@none.service", "ActiveState") == "failed")
    }
  }

  @Test("under systemd, the journal contains the daemon's messages with their IDs and fields")
  func journal() throws {
    try World.with { world in
      let host = try makeHost(world, idleStop: "infinity")
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      func entries(_ id: String) throws -> String {
        try host.require("journalctl", "--unit=dormouse@web.service", "MESSAGE_ID=\(id)", "--output=json")
      }
      // The first message of a wake: systemd has started the service for this connection.
      let waking = try entries("7faec6c2a32348b4ac8573cc2fe75b64")
      for field in ["GUEST\":\"web", "CAUSE\":\"connection", "SOCKET\":\"127.0.0.1:8001"] {
        #expect(waking.contains("\"DORMOUSE_\(field)\""), "\(waking)")
      }
      #expect(waking.contains("waking: a connection to 127.0.0.1:8001\""))
      // PID 1 runs.
      let started = try entries("fb74e9b118cb4e6fa4fac8acd53bcbb5")
      #expect(started.contains("\"DORMOUSE_INSTANCE\":\"web.1\""), "\(started)")
      #expect(started.firstMatch(of: /"DORMOUSE_PID":"[0-9]+"/) != nil, "\(started)")
    }
  }

  @Test("varlinkctl is a client of the control socket")
  func varlink() throws {
    try World.with { world in
      let host = try makeHost(world, idleStop: "infinity")
      try host.require("systemctl", "start", "dormouse@web.service")
      let address = "/run/dormouse/web/io.dormouse"
      #expect(try host.require("varlinkctl", "introspect", address, "io.dormouse.Manager").contains("method List"))
      #expect(try host.require("varlinkctl", "call", address, "io.dormouse.Manager.List", "{}").contains("\"web\""))
      #expect(try host.require("stat", "--format=%a", address) == "600\n")
    }
  }

  /// Boots a host that holds the sockets of a trixie guest.
  private func makeHost(_ world: World, idleStop: String) throws -> Host {
    let units = try world.writeUnits([
      "hello.socket": "[Socket]\nListenStream=127.0.0.1:8001\n",
      "hello.service": text(of: Payload.units("hello") + "/hello.service"),
    ])
    try world.addDebian(
      "web", image: "trixie", units: units, "ListenStream=127.0.0.1:8001", "FileDescriptorName=http",
      settings: "[Guest]\nIdleStopSec=\(idleStop)")
    // The guest file contains paths of this machine.
    let binds = try [units, Payload.directory(), Payload.image("trixie")].map { "\($0):\($0)" }
    return try Host(in: world, units: ["dormouse@web.socket": Self.socket], binds: binds)
  }
}
