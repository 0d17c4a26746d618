import Glibc
import Testing

@testable import Linux

@Suite("Data alarm")
struct DataAlarmTests {
  @Test(
    "an armed alarm reports data and the end of a connection once; it reports no handshake, and nothing once it is disarmed"
  )
  func reports() throws {
    try inNetworkNamespace {
      let alarm = try DataAlarm()
      let listener = try openListener(.stream, .ipv4(.loopback, port: 80))
      try alarm.attach(to: listener)
      let connection = try Connection(to: listener)
      try pass("early", over: connection)
      #expect(try hasInput(alarm.descriptor) == false)
      try alarm.arm()
      #expect(try hasInput(alarm.descriptor) == false)
      try pass("data", over: connection)
      #expect(try hasInput(alarm.descriptor) == true)
      try alarm.disarm()
      #expect(try hasInput(alarm.descriptor) == false)
      try pass("more", over: connection)
      #expect(try hasInput(alarm.descriptor) == false)
      try alarm.arm()
      #expect(shutdown(connection.client?.raw ?? -1, Int32(SHUT_WR)) == 0)
      try waitForInput(alarm.descriptor)
      try alarm.disarm()
      try alarm.arm()
      // A handshake makes the listener ready, which is watched separately.
      let other = try Connection(to: listener)
      #expect(try hasInput(alarm.descriptor) == false)
      withExtendedLifetime(other) {}
    }
  }

  /// Sends text from the client to the server and receives it there. By then the filter has seen it.
  private func pass(_ text: String, over connection: Connection) throws(SystemError) {
    guard let client = connection.client?.raw, let server = connection.server?.raw else { return }
    var bytes = [UInt8](repeating: 0, count: text.utf8.count)
    try retrying("send") { send(client, text, bytes.count, 0) }
    try retrying("recv") { recv(server, &bytes, bytes.count, Int32(MSG_WAITALL)) }
  }
}
