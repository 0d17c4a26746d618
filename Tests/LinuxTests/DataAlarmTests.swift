import Glibc
import Testing

@testable import Linux

@Suite("What arrives on a connection")
struct DataAlarmTests {
  @Test("is told once when the alarm is armed: data, and the end; not a handshake, and nothing after it was disarmed")
  func tells() throws {
    try inNetworkNamespace {
      let alarm = try DataAlarm()
      let listener = try openListener(.stream, .ipv4(.loopback, port: 80))
      try alarm.attach(to: listener)
      let client = try connected(to: .ipv4(.loopback, port: 80))
      #expect(send(client.raw, "early", 5, 0) == 5)
      #expect(try hasInput(alarm.descriptor) == false)
      try alarm.arm()
      #expect(try hasInput(alarm.descriptor) == false)
      #expect(send(client.raw, "data", 4, 0) == 4)
      #expect(try hasInput(alarm.descriptor) == true)
      try alarm.disarm()
      #expect(try hasInput(alarm.descriptor) == false)
      #expect(send(client.raw, "more", 4, 0) == 4)
      #expect(try hasInput(alarm.descriptor) == false)
      try alarm.arm()
      #expect(shutdown(client.raw, Int32(SHUT_WR)) == 0)
      #expect(try hasInput(alarm.descriptor) == true)
      try alarm.disarm()
      try alarm.arm()
      // A handshake is the listener's affair, which somebody else watches.
      let other = try connected(to: .ipv4(.loopback, port: 80))
      #expect(try hasInput(alarm.descriptor) == false)
      withExtendedLifetime(other) {}
    }
  }
}
