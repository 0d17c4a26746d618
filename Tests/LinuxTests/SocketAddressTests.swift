import Glibc
import Testing

@testable import Linux

@Suite("Socket addresses")
struct SocketAddressTests {
  @Test(
    "the text of an address is systemd's",
    arguments: [
      (SocketAddress.ipv4(.any, port: 80), "0.0.0.0:80"),
      (.ipv4(.loopback, port: 65535), "127.0.0.1:65535"),
      (.ipv6(.any, port: 80, scope: 0), "[::]:80"),
      (.ipv6(IPv6Address(high: 0x2001_0db8_0000_0000, low: 0x10), port: 443, scope: 0), "[2001:db8::10]:443"),
      (.ipv6(IPv6Address(high: 0, low: 0xffff_7f00_0001), port: 1, scope: 0), "[::ffff:127.0.0.1]:1"),
      (.ipv6(IPv6Address(high: 0xfe80_0000_0000_0000, low: 1), port: 80, scope: 1), "[fe80::1]:80%lo"),
      (.ipv6(IPv6Address(high: 0xfe80_0000_0000_0000, low: 1), port: 80, scope: 987_654), "[fe80::1]:80%987654"),
      (.path("/run/x.sock"), "/run/x.sock"),
      (.abstract("name"), "@name"),
      (.abstract("a\u{1b}[2J\n"), "@a\\x1b[2J\\x0a"),
      (.unnamed, "unnamed"),
    ])
  func description(address: SocketAddress, text: String) {
    #expect(address.description == text)
  }

  @Test(
    "an address is the same after conversion to struct sockaddr and back",
    arguments: [
      SocketAddress.ipv4(IPv4Address(0xc000_0201), port: 8080),
      .ipv6(IPv6Address(high: 0x2001_0db8_0102_0304, low: 0x0506_0708_090a_0b0c), port: 8080, scope: 7),
      .path("/run/x.sock"), .path(String(repeating: "x", count: 107)),
      .abstract("name"), .abstract(""), .abstract(String(repeating: "x", count: 107)), .unnamed,
    ])
  func roundTrip(address: SocketAddress) {
    let again = address.withSockaddr { pointer, length in
      SocketAddress(sockaddr: UnsafeRawBufferPointer(start: pointer, count: Int(length)))
    }
    #expect(again == address)
  }

  @Test("a name that struct sockaddr cannot hold has no struct sockaddr")
  func tooLong() {
    for address: SocketAddress in [
      .path(String(repeating: "x", count: 108)), .abstract(String(repeating: "x", count: 108)), .path(""),
      .path("/run/a\0b"),
    ] {
      #expect(address.withSockaddr { _, _ in true } == nil)
    }
  }

  @Test("any bytes are read as an address or as none, without a trap")
  func anyBytes() {
    var generator = SystemRandomNumberGenerator()
    for length in 0..<130 {
      for family in [AF_INET, AF_INET6, AF_UNIX, AF_NETLINK] {
        var bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
        if length > 1 { (bytes[0], bytes[1]) = (UInt8(family), 0) }
        let address = bytes.withUnsafeBytes { SocketAddress(sockaddr: $0) }
        if length >= 28, family != AF_NETLINK { #expect(address?.family == family) }
      }
    }
  }

  @Test("an address is made of as many bytes in network order as its family has")
  func bytes() {
    #expect(IPv4Address(bytes: [127, 0, 0, 1]) == .loopback)
    #expect(IPv4Address(bytes: [127, 0, 0]) == nil)
    #expect(IPv6Address(bytes: [UInt8](repeating: 0, count: 15) + [1]) == .loopback)
    #expect(IPv6Address(bytes: []) == nil)
    #expect(IPv6Address(high: 0, low: 0xffff_7f00_0001).mapped == .loopback)
    #expect(IPv6Address.loopback.mapped == nil)
    #expect(IPv6Address(high: 0xfebf_0000_0000_0000, low: 1).isLinkLocal)
    #expect(!IPv6Address(high: 0xfec0_0000_0000_0000, low: 1).isLinkLocal)
  }

  @Test("an interface is found by name or number, and the error for a missing one names it")
  func interfaces() throws {
    #expect(try interfaceIndex(named: "lo") == 1)
    #expect(try interfaceIndex(named: "17") == 17)
    #expect { try interfaceIndex(named: "nosuch0") } throws: { error in
      "\(error)" == "interface nosuch0: No such device"
    }
  }
}
