import Foundation
import Glibc
import Testing

/// On a host with systemd-machined: the rows WM of "Writing VM and container managers".
@Suite("machined")
struct MachineTests {
  @Test(
    "machined knows all properties of a guest and reaches into it; its power-off stops the guest and ends the entry")
  func whole() throws {
    try World.with { world in
      let host = try makeHost(world, ["web": "8001"])
      try host.require("systemctl", "start", "dormouse@web.service")
      try host.require("dormouse", "wake", "web", "--runtime", "/run/dormouse/web")
      try eventually("web is registered") { try machines(host).contains("web") }
      let leader = try host.show("dormouse@web.service", "MainPID")
      let status = try host.require("dormouse", "status", "web", "--json", "--runtime", "/run/dormouse/web")
      let pid = try #require(status.firstMatch(of: /"pid" *: *([0-9]+)/)).1
      #expect(pid != leader)
      #expect(try property(host, "web", "Class") == "container")
      #expect(try property(host, "web", "Service") == "dormouse")
      #expect(try property(host, "web", "Leader") == String(pid))
      #expect(try property(host, "web", "RootDirectory") == Payload.image("trixie"))
      #expect(try property(host, "web", "Unit") == "dormouse@web.service")
      #expect(try property(host, "web", "State") == "running")
      let id = try host.require("systemd-run", "--machine=web", "--wait", "--pipe", "--quiet", "cat", "/etc/machine-id")
      #expect(try property(host, "web", "Id").replacing("-", with: "") == id.trimmingCharacters(in: .newlines))
      #expect(try host.require("machinectl", "status", "web").contains("Leader: \(pid)"))
      #expect(try host.run("systemctl", "--machine=web", "is-system-running", "--wait").output == "running\n")
      #expect(try host.require("journalctl", "--machine=web", "--lines=5").isEmpty == false)
      #expect(try host.require("systemctl", "--machine=web", "is-active", "hello.socket") == "active\n")
      try host.require("machinectl", "poweroff", "web")
      try eventually("the entry is removed") { try machines(host) == [] }
      let list = try host.require("dormouse", "list", "--json", "--runtime", "/run/dormouse/web")
      #expect(list.contains("inactive"))
    }
  }

  @Test("machined knows the host ends of a guest's network interfaces")
  func interfaces() throws {
    try World.with { world in
      let links = "[Network]\nVirtualEthernet=yes\nVirtualEthernetExtra=more:eth1"
      let host = try makeHost(world, ["web": "8001"], settings: links)
      try host.require("systemctl", "start", "dormouse@web.service")
      try host.require("dormouse", "wake", "web", "--runtime", "/run/dormouse/web")
      try eventually("web is registered") { try machines(host).contains("web") }
      let indexes = try ["ve-web", "more"].map { try host.require("cat", "/sys/class/net/\($0)/ifindex").dropLast() }
      let properties = try host.require(
        "busctl", "get-property", "org.freedesktop.machine1", "/org/freedesktop/machine1/machine/web",
        "org.freedesktop.machine1.Machine", "NetworkInterfaces")
      #expect(properties == "ai 2 \(indexes.joined(separator: " "))\n")
      #expect(try host.require("machinectl", "status", "web").contains(/Iface: ve-web more/))
    }
  }

  @Test("a guest that restarts at once is registered with machined again, and a killed daemon leaves no entry")
  func ends() throws {
    try World.with { world in
      let host = try makeHost(world, ["web": "8001"])
      try host.require("systemctl", "start", "dormouse.service")
      var leaders: Set<String> = []
      for _ in 1...4 {
        try host.require("dormouse", "wake", "web")
        try eventually("web is registered again") { try leaders.insert(property(host, "web", "Leader")).inserted }
        try host.require("dormouse", "sleep", "web", "--now")
      }
      try host.require("dormouse", "wake", "web")
      try eventually("web is registered") { try leaders.insert(property(host, "web", "Leader")).inserted }
      try host.require("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "dormouse.service")
      try eventually("the entry is removed") { try machines(host) == [] }
    }
  }

  @Test("a second guest of the same service keeps running although machined cannot register it")
  func two() throws {
    try World.with { world in
      let host = try makeHost(world, ["a": "8001", "b": "8002"])
      try host.require("systemctl", "start", "dormouse.service")
      try host.require("dormouse", "wake", "a")
      try host.require("dormouse", "wake", "b")
      try eventually("one of them is registered") { try !machines(host).isEmpty }
      #expect(try world.ask("127.0.0.1:8001", "one") == "one")
      #expect(try world.ask("127.0.0.1:8002", "two") == "two")
      #expect(try host.show("dormouse.service", "ActiveState") == "active")
      #expect(try host.show("dormouse.service", "NRestarts") == "0")
      try host.require("dormouse", "sleep", "a", "--now")
      try host.require("dormouse", "sleep", "b", "--now")
      try eventually("none is registered") { try machines(host).isEmpty }
      #expect(try host.show("dormouse.service", "ActiveState") == "active")
    }
  }

  private func machines(_ host: Host) throws -> [String] {
    try host.require("machinectl", "list", "--no-legend").split(separator: "\n").compactMap {
      $0.split(separator: " ").first.map(String.init)
    }.filter { $0 != ".host" }
  }

  /// A property of a machine; empty when there is no such machine.
  private func property(_ host: Host, _ machine: String, _ name: String) throws -> String {
    try host.run("machinectl", "show", machine, "--value", "--property=\(name)").output
      .trimmingCharacters(in: .newlines)
  }

  /// Boots a host with trixie guests, of which the names and ports are given.
  private func makeHost(_ world: World, _ guests: [String: String], settings: String = "") throws -> Host {
    var binds = try [Payload.directory(), Payload.image("trixie")]
    for (name, port) in guests {
      let units = try world.writeUnits([
        "hello.socket": "[Socket]\nListenStream=127.0.0.1:\(port)\n",
        "hello.service": text(of: Payload.units("hello") + "/hello.service"),
      ])
      try world.addDebian(name, image: "trixie", units: units, "ListenStream=127.0.0.1:\(port)", settings: settings)
      binds.append(units)
    }
    return try Host(in: world, binds: binds.map { "\($0):\($0)" })
  }
}
