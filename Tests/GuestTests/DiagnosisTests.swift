import ControlProtocol
import Foundation
import Testing

@Suite("A Debian guest that does not serve")
struct DiagnosisTests {
  /// `waiting` is ready only when these units have failed, so that what is wrong has happened before READY=1.
  private static func waiting(for units: String) -> String {
    "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'for unit in \(units); do until systemctl is-failed $unit; do sleep 0.05; done; done'\n"
  }

  @Test(
    "a socket unit that fails before the guest is ready is named with its result, the failed service and its last words",
    arguments: [("trixie", true), ("bookworm", false)])
  func failedService(image: String, hasBus: Bool) throws {
    try World.with { world in
      var units = [
        "web.socket": "[Socket]\nListenStream=127.0.0.1:8001\n",
        "web.service": "[Service]\nExecStart=/bin/sh -c 'echo there is no database >&2; exit 3'\n",
      ]
      // Without D-Bus only systemd's own socket is left.
      if !hasBus { units["dbus.service"] = "" }
      if !hasBus { units["dbus.socket"] = "" }
      let directory = try world.writeUnits(units, wanted: ["wait.service": Self.waiting(for: "web.socket")])
      try world.addDebian("web", image: image, units: directory, "ListenStream=127.0.0.1:8001")
      let daemon = try world.startDaemon()
      #expect(try world.connect("127.0.0.1:8001").hasEnded())
      let status = try world.status("web")
      let unserved = try #require(status.sockets.first?.unserved)
      #expect(unserved.reason == .unitFailed && unserved.unit == "web.socket")
      #expect(unserved.result == "service-start-limit-hit", "\(unserved)")
      #expect(unserved.text.contains("web.service (exit-code): \"there is no database\""), "\(unserved.text)")
      #expect((status.report?.failedUnits ?? []).contains { $0.unit == "web.service" && $0.status == 3 })
      try daemon.waitForLog(
        "so clients are refused there: web.socket in the guest has failed (service-start-limit-hit)")
      let list = try world.dormouse("list").output
      #expect(list.contains("\nweb: nobody serves at 127.0.0.1:8001: web.socket in the guest has failed"), "\(list)")
      #expect(try world.dormouse("why", "web").output.contains("In the guest, web.service has failed (exit-code)"))
    }
  }

  @Test("a unit without a service, a service without a program, and a near miss are told apart")
  func reasons() throws {
    try World.with { world in
      let units = try world.writeUnits(
        [
          "lost.socket": "[Socket]\nListenStream=127.0.0.1:8001\n",
          "empty.socket": "[Socket]\nListenStream=127.0.0.1:8002\n",
          "empty.service": "[Service]\nExecStart=/usr/bin/none\n",
          "near.socket": "[Socket]\nListenStream=0.0.0.0:8003\n",
          "near.service": "[Service]\nExecStart=/bin/sleep infinity\n",
        ], wanted: ["wait.service": Self.waiting(for: "lost.socket empty.socket")])
      try world.addDebian(
        "web", image: "trixie", units: units, "ListenStream=127.0.0.1:8001", "ListenStream=127.0.0.1:8002",
        "ListenStream=8003")
      let daemon = try world.startDaemon()
      let clients = try ["127.0.0.1:8001", "127.0.0.1:8002"].map { try world.connect($0) }
      #expect(try clients.map { try $0.hasEnded() } == [true, true])
      try daemon.waitForLog("ListenStream=0.0.0.0:8003 in the guest file")
      let unserved = try world.status("web").sockets.map(\.unserved)
      #expect(unserved.map { $0?.reason } == [.noService, .noProgram, .wrongFamily])
      #expect(unserved[0]?.text.contains("no lost.service to start") == true)
    }
  }

  @Test("a guest that is not ready in time is in the log, the list and the reply with the unit that failed in it")
  func failedStart() throws {
    try World.with { world in
      let units = try world.writeUnits(
        [:],
        wanted: [
          "data.service": "[Service]\nExecStart=/bin/sh -c 'echo the disk is full; exit 1'\n",
          "wait.service": "[Service]\nType=oneshot\nTimeoutStartSec=infinity\nExecStart=/bin/sleep 60\n",
        ])
      try world.addDebian(
        "web", image: "trixie", units: units, "ListenStream=127.0.0.1:8001",
        settings: "TimeoutStartSec=3s\nTimeoutStopSec=5s")
      let daemon = try world.startDaemon()
      let outcome = try world.dormouse("wake", "web")
      #expect(outcome.status == 1)
      let words =
        "not ready within TimeoutStartSec= (3.0 s); in the guest, data.service has failed (exit-code): \"the disk is full\""
      #expect(outcome.errors.contains(words), "\(outcome.errors)")
      #expect(daemon.log.contains(words))
      #expect(try world.dormouse("list").output.contains("data.service has failed"))
    }
  }
}
