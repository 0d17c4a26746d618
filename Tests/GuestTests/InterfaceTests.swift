import Foundation
import Testing

@Suite("dormouse interface")
struct InterfaceTests {
  private struct JudgedRow: Decodable {
    var id: String
    var level: String
    var verdict: String
    var reason: String?
  }

  @Test("`dormouse interface` finds no required row missed by a running guest, and exits with status 0")
  func required() throws {
    try World.with { world in
      try world.addTiny("small", "ListenStream=127.0.0.1:24180")
      try world.startDaemon()
      let asleep = try world.dormouse("interface", "small")
      #expect(asleep.status == 1)
      #expect(asleep.errors == "dormouse: small is not running; `dormouse wake small` starts it\n")
      try world.wake("small")
      let outcome = try world.dormouse("interface", "small", "--json")
      let rows = try JSONDecoder().decode([JudgedRow].self, from: Data(outcome.output.utf8))
      let missed = rows.filter { $0.verdict == "missed" && "MSN".contains($0.level) }
      #expect(missed.isEmpty, "\(missed)")
      #expect(outcome.status == 0)
      #expect(rows.first { $0.id == "AI-4a" }?.verdict == "holds")
      #expect(rows.first { $0.id == "EE-4a" }?.reason == "process 1 is not systemd")
    }
  }

  @Test("`dormouse interface` finds that rows which only systemd can show hold for a guest with systemd")
  func systemd() throws {
    try World.with { world in
      let unit = "[Socket]\nListenStream=127.0.0.1:24181\n[Install]\nWantedBy=sockets.target\n"
      let service = "[Service]\nExecStart=/usr/local/bin/tiny-init\n"
      let units = try world.writeUnits(["one.socket": unit, "one.service": service])
      try world.addDebian("deb", image: "trixie", units: units, "ListenStream=127.0.0.1:24181")
      try world.startDaemon()
      try world.wake("deb")
      let outcome = try world.dormouse("interface", "deb", "--json")
      let rows = try JSONDecoder().decode([JudgedRow].self, from: Data(outcome.output.utf8))
      for id in ["EE-4a", "EE-5a", "EV-1a", "EV-2a", "AI-3b", "AI-4a", "AI-6a", "FW-1", "FW-2"] {
        let row = rows.first { $0.id == id }
        #expect(row?.verdict == "holds", "\(id): \(row?.reason ?? "")")
      }
    }
  }
}
