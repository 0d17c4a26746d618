import ControlProtocol
import Foundation
import Testing

@Suite("A wall clock that jumps")
struct ClockFaultTests {
  @Test(
    "a wall clock that jumps neither keeps a guest awake nor wakes one, and no time span is measured by it",
    arguments: [400, -400])
  func jumps(days: Int) throws {
    try World.with { world in
      try world.addTiny(
        "echo", "ListenStream=127.0.0.1:8001", "ListenDatagram=127.0.0.1:8002", settings: "[Guest]\nIdleStopSec=1s")
      let jump = world.directory + "/jump"
      try "0".write(toFile: jump, atomically: true, encoding: .utf8)
      try world.startDaemon(environment: ["LD_PRELOAD": Payload.clockJump(), "CLOCK_JUMP": jump])
      // The kernel's timestamps of datagrams are not shifted, and so differ from the daemon's clock.
      #expect(try world.datagrams(to: "127.0.0.1:8002").askByDatagram("before") == "before")
      let before = try world.status("echo").since.microseconds
      try "\(days * 86400)".write(toFile: jump, atomically: true, encoding: .utf8)
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      #expect(try world.datagrams(to: "127.0.0.1:8002").askByDatagram("after") == "after")
      try world.wait("echo", .inactive)
      let status = try world.status("echo")
      #expect(abs(status.since.microseconds - before) > 300 * 86_400_000_000, "the clock did not jump")
      let took = try #require(status.lastStop?.tookMs)
      #expect(took >= 0 && took < 86_400_000)
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
      try world.wait("echo", .inactive)
    }
  }
}
