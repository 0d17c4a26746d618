import Glibc
import Linux
import Testing

@testable import Systemd

@Suite("Word to the service manager", .serialized)
struct ServiceManagerTests {
  /// Sets `$NOTIFY_SOCKET` to a socket of this test and takes both back at the end.
  private func withReceiver(_ body: (borrowing OwnedFD) throws -> Void) throws {
    let path = "/tmp/dormouse-notify-\(getpid())"
    let receiver = try openListener(.datagram, .path(path))
    setenv("NOTIFY_SOCKET", path, 1)
    defer {
      unsetenv("NOTIFY_SOCKET")
      unlink(path)
    }
    try body(receiver)
  }

  @Test("What is said arrives as sd_notify(3) writes it, with line feeds made harmless")
  func arrives() throws {
    try withReceiver { receiver in
      let manager = ServiceManager()
      #expect(manager.isListening)
      try manager.status("two guests\nREADY=1")
      try manager.stopping(status: "bye")
      let said = [try readReady(receiver, limit: 4096), try readReady(receiver, limit: 4096)]
      #expect(
        said.compactMap { $0.map { String(decoding: $0, as: UTF8.self).split(separator: "\n").count } } == [1, 2])
    }
  }

  @Test("A service manager that does not read stalls nobody: what may be lost is given up")
  func neverWaits() throws {
    try withReceiver { receiver in
      _ = receiver.raw
      let manager = ServiceManager()
      #expect(throws: SystemError.self) {
        for number in 0..<1_000_000 { try manager.status("\(number)") }
      }
    }
  }
}
