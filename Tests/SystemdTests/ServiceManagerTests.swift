import CSystemd
import Glibc
import Linux
import Testing

@testable import Systemd

@Suite("Notifications to the service manager")
struct ServiceManagerTests {
  /// Does not set `$NOTIFY_SOCKET`, which processes that other tests start meanwhile would inherit.
  private func withReceiver(_ body: (borrowing OwnedFD, ServiceManager) throws -> Void) throws {
    let path = "/tmp/dormouse-manager-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    let receiver = try openListener(.datagram, .path(path))
    defer { unlink(path) }
    try body(receiver, ServiceManager(at: path))
  }

  @Test("a notification arrives in the form of sd_notify(3), with line feeds in its values replaced")
  func arrives() throws {
    try withReceiver { receiver, manager in
      #expect(manager.isListening)
      try manager.status("two guests\nREADY=1")
      try manager.stopping(status: "bye")
      let received = [try readReady(receiver, limit: 4096), try readReady(receiver, limit: 4096)]
      #expect(
        received.compactMap { $0.map { String(decoding: $0, as: UTF8.self).split(separator: "\n").count } } == [1, 2])
    }
  }

  @Test("a descriptor for the store arrives with its name, and so does the request to remove it")
  func store() throws {
    try withReceiver { receiver, manager in
      let other = try openListener(.datagram, .abstract("dormouse-stored-\(getpid())"))
      try manager.store(other, named: "first.web")
      try manager.unstore(named: "first.web")
      let raw = receiver.raw
      var bytes = [UInt8](repeating: 0, count: 256)
      var control = [UInt8](repeating: 0, count: 64)
      let (count, length) = bytes.withUnsafeMutableBytes { bytes in
        control.withUnsafeMutableBytes { control in
          var vector = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
          return withUnsafeMutablePointer(to: &vector) { vector in
            var message = msghdr()
            (message.msg_iov, message.msg_iovlen) = (vector, 1)
            (message.msg_control, message.msg_controllen) = (control.baseAddress, control.count)
            let count = recvmsg(raw, &message, Int32(MSG_DONTWAIT))
            return (count, message.msg_controllen)
          }
        }
      }
      try #require(count > 0 && length == MemoryLayout<cmsghdr>.size + 8)
      #expect(String(decoding: bytes[..<count], as: UTF8.self) == "FDSTORE=1\nFDNAME=first.web\nFDPOLL=0")
      let number = control.withUnsafeBytes {
        $0.loadUnaligned(fromByteOffset: MemoryLayout<cmsghdr>.size, as: Int32.self)
      }
      #expect(try inode(of: OwnedFD(owning: number)) == inode(of: other))
      let removal = try readReady(receiver, limit: 4096).map { String(decoding: $0, as: UTF8.self) }
      #expect(removal == "FDSTOREREMOVE=1\nFDNAME=first.web")
    }
  }

  @Test("a notification to a service manager that does not read is an error and does not block")
  func neverWaits() throws {
    try withReceiver { receiver, manager in
      _ = receiver.raw
      #expect(throws: SystemError.self) {
        for number in 0..<1_000_000 { try manager.status("\(number)") }
      }
    }
  }
}
