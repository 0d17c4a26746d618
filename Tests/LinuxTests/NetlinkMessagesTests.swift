import CLinux
import Glibc
import Testing

@testable import Linux

@Suite struct NetlinkMessagesTests {
  @Test(
    "a netlink message that is longer than the bytes received ends the reading, also if its length is negative as a signed number"
  )
  func lengths() {
    for length: UInt32 in [17, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFF0, 0xFFFF_FFFF] {
      // struct nlmsghdr: length, type 20 (SOCK_DIAG_BY_FAMILY) and flags, sequence, port.
      let words: [UInt32] = [length, 20, 0, 0]
      let (connections, progress) = words.withUnsafeBytes { items(in: $0, as: TCPConnection.init(diagMessage:)) }
      #expect(progress == .more && connections.isEmpty)
    }
  }

  @Test("a request with an attribute that is too long for netlink is an error")
  func longAttribute() throws {
    let netlink = try RouteNetlink()
    #expect(throws: SystemError("making the bridge br0", errno: EMSGSIZE)) {
      let request = NetlinkRequest(RTM_NEWLINK, flags: NLM_F_ACK, ifinfomsg())
      request.put(IFLA_IFNAME, String(repeating: "b", count: Int(UInt16.max)))
      try netlink.netlink.exchange(request, "making the bridge br0")
    }
  }

  @Test("a request's attributes are aligned, and a nested one counts the attributes in it")
  func attributes() throws {
    let request = NetlinkRequest(RTM_NEWLINK, flags: NLM_F_ACK, UInt32(7))
    request.put(1, "ab")
    request.nest(2) { request.put(3, UInt16(4)) }
    #expect(
      try #require(request.bytes(sequence: 5)) == [
        // struct nlmsghdr: length, type, flags, sequence, port.
        40, 0, 0, 0, 16, 0, 5, 0, 5, 0, 0, 0, 0, 0, 0, 0,
        7, 0, 0, 0,
        7, 0, 1, 0, 97, 98, 0, 0,
        12, 0, 2, 0x80, 6, 0, 3, 0, 4, 0, 0, 0,
      ])
  }
}
