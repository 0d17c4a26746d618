import Foundation
import Glibc
import Testing

@Suite("The watchdog of the service manager")
struct WatchdogTests {
  @Test("under systemd, a daemon that is stuck is replaced and its sockets are kept; asleep it is not watched")
  func stall() throws {
    try World.with { world in
      let root = try world.makeTinyRoot("web")
      try world.addTiny(
        "web", "ListenStream=127.0.0.1:8001", settings: "[Exec]\nPrivateUsers=no\n[Files]\nVolatile=overlay")
      let host = try Host(in: world, binds: ["\(root):\(root)"])
      // The unit's own time would make the test long.
      try host.require(
        "sh", "-c",
        """
        mkdir -p /run/systemd/system/dormouse.service.d
        printf '[Service]\\nWatchdogSec=1s\\n' >/run/systemd/system/dormouse.service.d/short.conf
        systemctl daemon-reload
        systemctl start dormouse.service
        """)
      func show(_ property: String) throws -> String { try host.show("dormouse.service", property) }
      #expect(try show("WatchdogUSec") == "0")
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      #expect(try show("WatchdogUSec") == "1s")
      // Longer than the daemon may be silent: it is not.
      usleep(1_500_000)
      #expect(try show("NRestarts") == "0")
      let stalled = try show("MainPID")
      try host.require("kill", "-STOP", stalled)
      try eventually("the daemon is replaced") { try show("NRestarts") == "1" && show("ActiveState") == "active" }
      #expect(try show("MainPID") != stalled)
      // No client is refused by a port that was closed in between.
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
      try host.require("dormouse", "sleep", "web", "--now")
      try eventually("the daemon is not watched") { try show("WatchdogUSec") == "0" }
      let journal = try host.require("journalctl", "--unit=dormouse.service", "--output=cat")
      #expect(journal.contains("Watchdog timeout"))
    }
  }
}
