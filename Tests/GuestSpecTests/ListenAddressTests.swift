import Testing

@testable import GuestSpec

@Suite("Addresses of systemd.socket(5)")
struct ListenAddressTests {
  @Test(
    "an address is read and printed as systemd reads and prints it",
    arguments: [
      ("80", "[::]:80"), ("0.0.0.0:80", "0.0.0.0:80"), ("127.0.0.1:65535", "127.0.0.1:65535"), ("[::]:80", "[::]:80"),
      ("[0:0:0:0:0:0:0:0]:80", "[::]:80"), ("[::1]:80", "[::1]:80"), ("[2001:DB8::1]:443", "[2001:db8::1]:443"),
      ("[fe80::1]:80%eth0", "[fe80::1]:80%eth0"), ("[fe80::1]:80%%eth0", "[fe80::1]:80%eth0"),
      ("[fe80::1]:80%3", "[fe80::1]:80%3"), ("[::ffff:192.0.2.1]:80", "[::ffff:192.0.2.1]:80"),
      ("[1:0:0:2:0:0:0:3]:1", "[1:0:0:2::3]:1"), ("[1:2:3:4:5:6:7::]:1", "[1:2:3:4:5:6:7:0]:1"),
      ("[1::]:1", "[1::]:1"), ("[64:ff9b::192.0.2.33]:1", "[64:ff9b::c000:221]:1"), ("/run/x.sock", "/run/x.sock"),
      ("/run//./x.sock/", "/run/x.sock"), ("/run/%n.sock", "/run/web.sock"), ("@x/y", "@x/y"), ("@%n", "@web"),
    ])
  func right(text: String, printed: String) {
    #expect(stream(text)?.address.description == printed)
    #expect(stream(printed)?.address == stream(text)?.address)
  }

  @Test(
    "a text that is not an address is refused",
    arguments: [
      "0", "65536", "-1", "+80", "80 ", "http", "1.2.3:80", "1.2.3.04:80", "1.2.3.256:80", "1.2.3.4", "1.2.3.4:0",
      "[::]", "[::]80", "[::]:", "[::", "[:]:1", "[1::2::3]:1", "[1:2:3:4:5:6:7]:1", "[1:2:3:4:5:6:7:8:9]:1",
      "[12345::]:1", "[::g]:1", "[:1::]:1", "[1::2:]:1", "[:::]:1", "[::1.2.3]:1", "[::]:80%", "[::]:80%a/b",
      "[fe80::1%eth0]:80", "::1:80", "localhost:80", "vsock:2:80", "@", "/", "/run/../x", "run/x", "/%i",
      "/" + String(repeating: "x", count: 107), "@" + String(repeating: "x", count: 108), "[::]:80%averylonginterface",
    ])
  func wrong(text: String) { #expect(stream(text) == nil) }

  @Test("the wildcards of IPv4 and IPv6 are different addresses")
  func wildcards() { #expect(stream("80")?.address != stream("0.0.0.0:80")?.address) }

  @Test("ListenSequentialPacket= accepts only AF_UNIX addresses")
  func sequentialPackets() {
    #expect(listen(.sequentialPacket, "/run/x")?.description == "/run/x (SequentialPacket)")
    #expect(listen(.sequentialPacket, "80") == nil)
    #expect(listen(.datagram, "80")?.description == "[::]:80 (Datagram)")
  }

  @Test("a port that begins with 0, which systemd would read as an octal number or refuse, is refused")
  func leadingZero() {
    for text in ["080", "0.0.0.0:010", "[::]:00", "0"] { #expect(stream(text) == nil, "\(text)") }
  }

  private func stream(_ text: String) -> Listen? { listen(.stream, text) }

  private func listen(_ kind: Listen.Kind, _ text: String) -> Listen? {
    var context = ValueContext(specifiers: Specifiers(fragmentPath: "/c/web.guest"), guestName: "web")
    return try? Value<Listen>.listen(kind).parse(text, &context)
  }
}
