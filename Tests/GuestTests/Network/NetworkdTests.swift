import Foundation
import Glibc
import Testing

@Suite("A guest and a host with systemd-networkd")
struct NetworkdTests {
  @Test("systemd-networkd on both sides configures a guest with VirtualEthernet=yes, which reaches its host")
  func address() throws {
    try World.with { world in
      try world.addDebian(
        "web", image: "trixie", units: nil,
        settings: "[Exec]\nParameters=systemd.wants=systemd-networkd.service\n[Network]\nVirtualEthernet=yes")
      let binds = try [Payload.directory(), Payload.image("trixie")].map { "\($0):\($0)" }
      let host = try Host(in: world, binds: binds)
      try host.require("systemctl", "start", "systemd-networkd.service", "dormouse.service")
      try host.require("dormouse", "wake", "web")
      let inGuest = ["ip", "netns", "exec", "guest"]
      let list = try host.require("dormouse", "list", "--json").filter { $0 != " " }
      let pid = try #require(list.firstMatch(of: /"pid":([0-9]+)/)?.1)
      try host.require("ip", "netns", "attach", "guest", String(pid))
      var gateway: String?
      let end = ContinuousClock.now + .seconds(deadline)
      while gateway == nil, ContinuousClock.now < end {
        let routes = try host.run(inGuest + ["ip", "route"]).output
        gateway = routes.firstMatch(of: /default via ([0-9.]+) dev host0 proto dhcp/).map { String($0.1) }
      }
      let address = try #require(gateway, "no lease")
      #expect(try host.require("ip", "-brief", "address", "show", "ve-web").contains(address + "/28"))
      try host.require("systemd-run", "systemd-socket-activate", "--listen=9000", "--inetd", "--accept", "cat")
      try host.require("bash", "-c", "until ss -Hltn | grep -q :9000; do :; done")
      let script = "exec 3<>/dev/tcp/\(address)/9000 && echo hello >&3 && timeout 10 head --lines=1 <&3"
      #expect(try host.run(inGuest + ["bash", "-c", script]).output == "hello\n")
    }
  }
}
