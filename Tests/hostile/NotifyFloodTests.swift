import ControlProtocol
import Testing

/// A guest whose PID 1 says to the daemon whatever keeps it busy: `Tests/hostile/attacks/words.c`.
@Suite("A guest that floods its notify socket")
struct NotifyFloodTests {
  @Test(
    "the neighbour of a guest that floods its notify socket is woken and served, the control socket answers, and the log stays short",
    arguments: ["alternate", "status"])
  func flood(mode: String) throws {
    try World.with { world in
      try world.addAttacker(words: mode)
      try world.addTiny("good", "ListenStream=127.0.0.1:8002")
      try world.startDaemon()
      try world.wake("bad")
      for _ in 1...3 {
        #expect(try world.ask("127.0.0.1:8002", "hello") == "hello")
        #expect(try world.list().map(\.name) == ["bad", "good"])
        try world.sleep("good")
      }
      // Its administrator can end it.
      try world.sleep("bad")
      #expect(try world.summary("bad").state == .inactive)
      let lines = world.daemon?.log.split(separator: "\n").filter { $0.contains("bad: ") } ?? []
      #expect(lines.count < 30)
      #expect(lines.count { $0.contains("shutting down by itself") } <= 3)
    }
  }

  @Test(
    "a guest that seems to shut down again and again is not believed the fourth time, and falls asleep when nobody uses it"
  )
  func doubt() throws {
    try World.with { world in
      try world.addAttacker(words: "doubt", settings: "[Guest]\nIdleStopSec=1s")
      let daemon = try world.startDaemon()
      try world.wake("bad")
      try daemon.waitForLog("bad: idle for")
      #expect(daemon.log.components(separatedBy: "shutting down by itself").count == 4)
      #expect(daemon.log.contains("from now on only a certain report counts"))
      try world.wait("bad", .inactive)
    }
  }
}

extension World {
  /// Adds the guest `bad`, whose PID 1 is `words` in this mode. It ignores its signal, and is killed a second later.
  func addAttacker(words mode: String, settings: String = "") throws {
    let root = try makeTinyRoot("bad")
    try copyProgram(try Payload.attack("words"), to: root + "/sbin/words")
    try addTiny(
      "bad", "ListenStream=127.0.0.1:8001",
      settings: """
        TimeoutStopSec=1s
        [Exec]
        Parameters=
        Parameters=/sbin/words \(mode)
        \(settings)
        """)
  }
}
