import ControlProtocol
import Foundation
import Glibc
import Testing

/// Inits that are not systemd, from the packages of Debian 13. dinit and s6-linux-init are in no release of Debian.
@Suite("A guest whose init is not systemd")
struct InitTests {
  /// An init: what its guest's file has besides, and what it prints when it shuts down.
  struct Init: Sendable, CustomTestStringConvertible {
    var name: String
    var signal: String
    var farewell: String
    var settings = ""

    var testDescription: String { name }
  }

  static let inits = [
    Init(name: "sysvinit", signal: "SIGRTMIN+4", farewell: "sysvinit shuts down"),
    Init(name: "openrc", signal: "SIGTERM", farewell: "openrc shuts down"),
    Init(name: "runit", signal: "SIGPWR", farewell: "runit shuts down"),
    Init(name: "finit", signal: "SIGUSR2", farewell: "Powering down"),
    Init(name: "busybox", signal: "SIGUSR2", farewell: "busybox shuts down"),
    Init(name: "s6", signal: "SIGTERM", farewell: "s6 shuts down", settings: "[Exec]\nParameters=/etc/scan"),
  ]

  @Test(
    "an init is recognised, started, frozen, thawed, and stopped by its own signal when it is idle", arguments: inits)
  func lives(_ of: Init) throws {
    try World.with { world in
      try world.addGuest(
        "web",
        """
        [Exec]
        Boot=yes
        [Files]
        Volatile=overlay
        BindReadOnly=\(try Payload.directory()):/usr/local/bin
        [Network]
        Private=yes
        [Socket]
        ListenStream=127.0.0.1:8001
        [Guest]
        Directory=\(try Payload.image("trixie-inits"))/inits/\(of.name)
        IdleFreezeSec=300ms
        IdleStopSec=2s
        TimeoutStartSec=30s
        TimeoutStopSec=20s
        \(of.settings)
        """)
      let daemon = try world.startDaemon()
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      try daemon.waitForLog("frozen: nobody uses it")
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
      try world.wait("web", .inactive)
      let status = try world.status("web")
      let console = try world.console("web")
      #expect(status.counters[.freezes] >= 1)
      #expect(status.lastStop?.cause == .idle)
      #expect(status.lastStop?.killed == false, "\(console)")
      #expect(daemon.log.contains(of.signal))
      #expect(console.contains(of.farewell), "\(console)")
      #expect(status.wakes == 1)
    }
  }
}
