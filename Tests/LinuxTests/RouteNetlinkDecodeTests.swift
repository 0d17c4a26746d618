import Glibc
import Testing

@testable import Linux

/// The recorded answers are also the fuzzer's seeds. They were recorded with a bridge `br0`, its port `ve-web`, a virtual Ethernet interface
/// whose other end is `host0`, and with addresses of each scope.
@Suite("Recorded answers of rtnetlink")
struct RouteNetlinkDecodeTests {
  @Test("a recorded answer lists interfaces with their kinds, names and bridges")
  func links() throws {
    let (progress, links) = try read("links", as: Link.init)
    #expect(progress == .done)
    #expect(links.map(\.name) == ["lo", "br0", "host0", "ve-web"])
    #expect(links.map(\.kind) == [nil, "bridge", "veth", "veth"])
    #expect(links.map(\.master) == [nil, nil, nil, 2])
    #expect(links.last?.address == [2, 0, 0, 0, 0, 1])
  }

  @Test("a recorded answer lists addresses, and by which of them others reach the namespace")
  func addresses() throws {
    let (progress, addresses) = try read("addresses", as: InterfaceAddress.init)
    #expect(progress == .done)
    #expect(
      Set(addresses.filter(\.isReachable).map(\.address.description)) == ["10.1.2.3", "192.0.2.1", "fd00::5"])
    #expect(
      Set(addresses.filter { !$0.isReachable }.map(\.address.description)) == ["127.0.0.1", "::1", "169.254.3.4"])
  }

  @Test("a recorded error has the kernel's own words")
  func refusal() throws {
    let reply = try recorded("refused-in-words").withUnsafeBytes { readReply($0, sequence: 1) { _ in } }
    #expect(reply.progress == .failed(EOPNOTSUPP))
    #expect(reply.words == "Unknown device type")
  }

  @Test("a list that changed while the kernel made it is not whole")
  func interrupted() throws {
    var bytes = try recorded("links")
    #expect(bytes.withUnsafeBytes { readReply($0, sequence: 1) { _ in } }.isWhole)
    // NLM_F_DUMP_INTR of the first message.
    bytes[6] |= 0x10
    #expect(!bytes.withUnsafeBytes { readReply($0, sequence: 1) { _ in } }.isWhole)
  }

  @Test(
    "every prefix of an answer of rtnetlink, and every answer with a byte changed, is read without a trap",
    arguments: ["links", "addresses", "refused-in-words"])
  func damaged(name: String) throws {
    let bytes = try recorded(name)
    for length in 0...bytes.count { decodeAll(Array(bytes.prefix(length))) }
    for index in bytes.indices {
      for value: UInt8 in [0, 1, 0x7f, 0x80, 0xff] {
        var changed = bytes
        changed[index] = value
        decodeAll(changed)
      }
    }
  }

  private func decodeAll(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes {
      _ = readReply($0, sequence: 1) {
        _ = Link(message: $0)
        _ = InterfaceAddress(message: $0)
      }
    }
  }

  private func read<Item>(
    _ name: String, as item: (UnsafeRawBufferPointer) -> Item?
  ) throws -> (NetlinkProgress, [Item]) {
    let found = try recorded(name).withUnsafeBytes { items(in: $0, sequence: 1, as: item) }
    return (found.progress, found.items)
  }
}
