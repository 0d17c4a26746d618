import ControlProtocol
import Foundation
import Testing

@Suite("Guests that fail to start, and guests that start together")
struct StartTests {
  @Test(
    "a client of a guest that cannot be started is refused after five failures, and is served when the guest is mended")
  func refused() throws {
    try World.with { world in
      let root = try world.makeTinyRoot("bad")
      let settings = "[Exec]\nParameters=\nParameters=/sbin/missing --ready"
      try world.addTiny("bad", "ListenStream=127.0.0.1:8001", settings: settings)
      let daemon = try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      #expect(try client.line() == nil)
      #expect(daemon.log.components(separatedBy: "bad: waking").count == 6)
      #expect(daemon.log.contains("after 5 failures in a row, refusing clients meanwhile"))
      #expect(try world.summary("bad").state == .failed)
      #expect(try world.why("bad").reasons.contains("clients are refused until it is tried again"))
      #expect(try world.connect("127.0.0.1:8001").line() == nil)
      #expect(try world.status("bad").counters.lost.map(\.reason) == [.failed])
      #expect(try !world.dormouse("wake", "bad").succeeded)
      try copyProgram(try Payload.tinyInit(), to: root + "/sbin/missing")
      try world.wake("bad")
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
    }
  }

  @Test(
    "a client that has gone wakes a guest that accepts nobody once, and not again after a stop; the next client does",
    arguments: [true, false])
  func gone(resets: Bool) throws {
    try World.with { world in
      try world.addAttacker(words: "deaf", settings: "[Guest]\nIdleStopSec=1min")
      let daemon = try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      try client.send("hello")
      try world.wait("bad", .active)
      if resets { try client.reset() } else { client.close() }
      #expect(try world.dormouse("sleep", "bad", "--now").succeeded)
      // What would have woken it has been seen before the daemon answers.
      try world.wake("bad")
      #expect(try world.dormouse("sleep", "bad", "--now").succeeded)
      #expect(try world.summary("bad").state == .inactive)
      #expect(daemon.log.components(separatedBy: "bad: waking: a connection").count == 2, "\(daemon.log)")
      let next = try world.connect("127.0.0.1:8001")
      try next.send("hello")
      try daemon.until("the next client wakes it") {
        daemon.log.components(separatedBy: "bad: waking: a connection").count == 3
      }
    }
  }

  @Test("a guest that is woken while another starts waits for its turn, and says so")
  func turns() throws {
    try World.with { world in
      try "[Daemon]\nMaxConcurrentStarts=1\n".write(
        toFile: world.config + "/dormoused.conf", atomically: true, encoding: .utf8)
      try world.addTiny("first", "ListenStream=127.0.0.1:8001", arguments: [])
      try world.addTiny("second", "ListenStream=127.0.0.1:8002")
      let daemon = try world.startDaemon()
      let (slow, waiting) = try world.connectInTurn("127.0.0.1:8001", "127.0.0.1:8002", to: "second")
      #expect(!daemon.log.contains("second: waking"))
      #expect(try slow.ask("notify READY=1") != "")
      #expect(try waiting.line() == "hello")
      let order = daemon.log.split(separator: "\n").filter {
        $0.contains("first: ready") || $0.contains("second: waking")
      }
      #expect(order.count == 2 && order.first?.contains("first: ready") == true)
    }
  }
}

extension World {
  /// Connects to two guests of which only one may start at a time. The first never gets ready by itself, so the other waits for its turn.
  ///
  /// - Parameters:
  ///   - first: the address of the guest that starts.
  ///   - second: the address of the guest that waits.
  ///   - waiting: the name of the guest that waits.
  /// - Returns: both clients, of whom the second has sent a line.
  /// - Throws: `Trouble` when the second does not come to wait.
  func connectInTurn(
    _ first: String, _ second: String, to waiting: String
  ) throws -> (starting: Connection, waiting: Connection) {
    let starting = try connect(first)
    #expect(try starting.ask("hello") == "hello")
    let client = try connect(second)
    try client.send("hello")
    try wait(waiting, .activating)
    #expect(try why(waiting).reasons == ["it waits for its turn: 1 guest starts (MaxConcurrentStarts=)"])
    return (starting, client)
  }
}
