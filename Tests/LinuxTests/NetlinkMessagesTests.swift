import Linux
import Testing

@Suite struct NetlinkMessagesTests {
  @Test("a message longer than what came ends the reading, also one whose length is negative as a signed number")
  func lengths() {
    for length: UInt32 in [17, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFF0, 0xFFFF_FFFF] {
      // struct nlmsghdr: length, type 20 (SOCK_DIAG_BY_FAMILY) and flags, sequence, port.
      let words: [UInt32] = [length, 20, 0, 0]
      var connections: [TCPConnection] = []
      let progress = words.withUnsafeBytes { decodeTCPConnections($0, into: &connections) }
      #expect(progress == .more && connections.isEmpty)
    }
  }
}
