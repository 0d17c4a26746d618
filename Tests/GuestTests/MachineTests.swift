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
      #expect(try property(host, "web", "Unit") == "dormouse-web.1.scope")
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

  @Test(
    "each guest of a service has a scope: the end of one is no signal to the daemon, and `machinectl terminate` ends one alone"
  )
  func two() throws {
    try World.with { world in
      let host = try makeHost(world, ["a": "8001", "b": "8002"])
      try host.require("systemctl", "start", "dormouse.service")
      let daemon = try host.show("dormouse.service", "MainPID")
      for guest in ["a", "b"] { try host.require("dormouse", "wake", guest) }
      try eventually("both are registered") { try machines(host) == ["a", "b"] }
      for guest in ["a", "b"] {
        #expect(try property(host, guest, "Unit") == "dormouse-\(guest).1.scope")
        let leader = try property(host, guest, "Leader")
        let path = "/machine.slice/dormouse-\(guest).1.scope/\(guest).1.guest/payload"
        #expect(try host.require("cat", "/proc/\(leader)/cgroup").contains(path))
      }
      let other = try property(host, "b", "Leader")
      try host.require("dormouse", "sleep", "a")
      try eventually("only b is registered") { try machines(host) == ["b"] }
      try host.require("dormouse", "wake", "a")
      try eventually("a is registered again") { try property(host, "a", "Unit") == "dormouse-a.2.scope" }
      try host.require("machinectl", "terminate", "a")
      let log = { try host.require("journalctl", "--unit=dormouse.service", "--output=cat") }
      try eventually("a has powered itself off") { try log().ranges(of: "a: stopped (powered off)").count == 2 }
      #expect(try log().contains("a: its scope is to stop"))
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
      #expect(try world.ask("127.0.0.1:8002", "two") == "two")
      #expect(try property(host, "b", "Leader") == other)
      // As machined 262 does when it takes the daemon for the supervisor of a guest that has ended. The sender lives on, as machined does.
      let machined = "/sys/fs/cgroup/system.slice/systemd-machined.service/cgroup.procs"
      _ = try host.start("sh", "-c", "echo $$ >$0 && kill -TERM $1 && exec sleep 1000", machined, daemon)
      try eventually("the signal is ignored") { try log().contains("ignoring the signal of process") }
      #expect(try host.show("dormouse.service", "MainPID") == daemon)
      try host.require("systemctl", "stop", "dormouse.service")
      #expect(try log().ranges(of: "b: stopped (powered off)").count == 1)
      #expect(try machines(host) == [] && !log().contains("killing"))
    }
  }

  @Test("a service manager and a machined that do not answer delay no client, and a guest starts without them")
  func hanging() throws {
    try World.with { world in
      let host = try makeHost(world, ["a": "8001", "b": "8002"])
      try host.require("systemctl", "start", "dormouse.service", "systemd-machined.service")
      let log = { try host.require("journalctl", "--unit=dormouse.service", "--output=cat") }
      try host.require("systemctl", "kill", "--signal=STOP", "systemd-machined.service")
      #expect(try world.ask("127.0.0.1:8001", "one") == "one")
      #expect(try log().contains("a: cannot register with systemd-machined: it has not answered within"))
      try host.require("systemctl", "kill", "--signal=CONT", "systemd-machined.service")
      // The bus hangs, and with it the way to the service manager, which serves itself meanwhile.
      try host.require("systemctl", "kill", "--signal=STOP", "dbus.service")
      #expect(try world.ask("127.0.0.1:8002", "two") == "two")
      #expect(try log().contains("b: no scope of its own"))
      try host.require("systemctl", "kill", "--signal=CONT", "dbus.service")
      // The scope that is made after all holds nothing of the guest.
      try eventually("no scope of b is left") {
        try !host.require("systemctl", "list-units", "--all", "--plain", "--no-legend", "dormouse-b.*").contains(
          "scope")
      }
      #expect(try world.ask("127.0.0.1:8002", "again") == "again")
      try host.require("systemctl", "stop", "dormouse.service")
      #expect(try log().contains("a: stopped (powered off)") && log().contains("b: stopped (powered off)"))
    }
  }

  private func machines(_ host: Host) throws -> [String] {
    try host.require("machinectl", "list", "--no-legend").split(separator: "\n").compactMap {
      $0.split(separator: " ").first.map(String.init)
    }.filter { $0 != ".host" }.sorted()
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
