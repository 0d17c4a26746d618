import Foundation
import Testing

@Suite("A hostile guest of a host with systemd")
struct HostilePairedTests {
  @Test("a guest with a network of its own cannot reach the host's through the sockets of a .socket unit")
  func wayOut() throws {
    try World.with { world in
      let root = try world.makeTinyRoot("bad")
      try copyProgram(try Payload.attack("wayout"), to: root + "/sbin/attack")
      let sockets = "[Socket]\nListenStream=[::]:8001\nListenDatagram=[::]:8001\n"
      try world.addGuest(
        "bad",
        """
        [Exec]
        Boot=no
        NotifyReady=yes
        PrivateUsers=no
        Parameters=/sbin/attack
        [Files]
        Volatile=overlay
        [Network]
        Private=yes
        \(sockets)
        [Guest]
        Directory=\(root)
        IdleStopSec=infinity
        """)
      let host = try Host(
        in: world, units: ["dormouse@bad.socket": sockets + "TriggerLimitIntervalSec=0\n"], binds: ["\(root):\(root)"])
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      #expect(try world.datagrams(to: "127.0.0.1:8001").askByDatagram("hello") == "hello")
      let turned = try world.connect("127.0.0.1:8001")
      try turned.send("out 9999")
      #expect(try turned.hasEnded())
      #expect(try world.datagrams(to: "[::1]:8001").askByDatagram("out 9999") == "out 9999")
      let console = try host.require("dormouse", "status", "bad", "--console", "--runtime", "/run/dormouse/bad")
      let refused = console.split(whereSeparator: \.isNewline).filter { $0.hasSuffix(": Operation not permitted") }
      #expect(refused.count == 5, "\(console)")
      #expect(!console.contains(": done"), "\(console)")
      let journal = try host.require("journalctl", "--unit=dormouse@bad.service", "--output=cat")
      #expect(!journal.contains("are a way"), "\(journal)")
      #expect(try world.ask("[::1]:8001", "again") == "again")
    }
  }
}
