import ControlProtocol
import Foundation
import Testing

@Suite("The installed units")
struct InstalledUnitTests {
  @Test("under systemd, guests with and without a user namespace run with no more than the unit lets the daemon have")
  func capabilities() throws {
    try World.with { world in
      try world.addTiny("own", settings: "[Exec]\nPrivateUsers=pick\n[Network]\nVirtualEthernet=yes")
      try world.addTiny("greedy", settings: "[Exec]\nPrivateUsers=no\nCapability=CAP_SYS_TIME")
      try world.addDebian("hosts", image: "trixie", units: nil, settings: "[Exec]\nPrivateUsers=no")
      let binds = try [world.directory, Payload.directory(), Payload.image("trixie")].map { "\($0):\($0)" }
      let host = try Host(in: world, binds: binds)
      try host.require("systemctl", "start", "dormouse.service")
      let daemon = try host.show("dormouse.service", "MainPID")
      let all = try mask(of: "1", host)
      let own = try mask(of: daemon, host)
      // SYS_MODULE, SYS_RAWIO, SYS_TIME, SYSLOG and the others that affect the host alone.
      let left: UInt64 = [14, 16, 17, 20, 25, 29, 30, 32, 33, 34, 35, 36, 37, 38, 40].reduce(0) { $0 | 1 << $1 }
      #expect(own == all & ~left)
      #expect(try host.require("cat", "/proc/\(daemon)/limits").contains("Max core file size        0 "))
      for name in ["own", "greedy", "hosts"] { try host.require("dormouse", "wake", name) }
      // A user namespace has all capabilities of its own.
      let guest = try pid(of: "own", host)
      #expect(try mask(of: guest, host) & 1 << 12 != 0)
      let lacking = try host.require("dormouse", "status", "greedy")
      #expect(lacking.contains("Warning: Capability=CAP_SYS_TIME: dormoused does not have it"), "\(lacking)")
      #expect(try mask(of: pid(of: "greedy", host), host) & 1 << 25 == 0)
      let failed = try host.require(
        "nsenter", "--target", pid(of: "hosts", host), "--all", "systemctl", "--failed", "--plain", "--no-legend")
      #expect(failed == "")
      for name in ["own", "greedy", "hosts"] { try host.require("dormouse", "sleep", name, "--now") }
    }
  }

  private func mask(of pid: String, _ host: Host) throws -> UInt64 {
    let line = try host.require("grep", "CapBnd", "/proc/\(pid)/status").split(whereSeparator: \.isWhitespace).last
    return try #require(line.flatMap { UInt64($0, radix: 16) })
  }

  private func pid(of name: String, _ host: Host) throws -> String {
    let list = try host.require("dormouse", "list", "--json")
    let guests = try JSONDecoder().decode([GuestSummary].self, from: Data(list.utf8))
    return "\(try #require(guests.first { $0.name == name }?.pid))"
  }
}
