import Glibc
import Testing

@testable import Linux

/// The recorded answers are also the fuzzer's seeds. They were recorded with listeners at [::]:8080 and 127.0.0.1:8081, with a client of
/// each family at the first (the one over IPv6 not accepted), and one client at the second.
@Suite("Recorded answers of sock_diag")
struct SockDiagDecodeTests {
  @Test("a recorded answer lists TCP connections over IPv4")
  func tcp4() throws {
    let (connections, progress) = try tcp("dual-stack-tcp4")
    #expect(progress == .done)
    let server = connections.first { $0.local.port == 8081 }
    #expect(server?.local == .ipv4(.loopback, port: 8081))
    #expect(server?.state == .established)
    #expect(server?.inode != 0)
    #expect(server?.silence != nil)
    let client = connections.first { $0.remote == .ipv4(.loopback, port: 8081) }
    #expect(client?.remote == server?.local)
    #expect(client?.local == server?.remote)
    #expect(client?.cookie != server?.cookie)
  }

  @Test("a recorded answer lists TCP connections over IPv6, with an IPv4 client")
  func tcp6() throws {
    let (connections, progress) = try tcp("dual-stack-tcp6")
    #expect(progress == .done)
    let open = openConnections(
      of: .ipv6(.any, port: 8080, scope: 0), among: connections, closeWaitLimit: .seconds(60))
    #expect(Set(open.connections.map(\.place)) == [.accepted, .queued])
    let queued = open.connections.first { $0.place == .queued }
    let accepted = open.connections.first { $0.place == .accepted }
    #expect(queued?.remote.description.hasPrefix("[::1]:") == true)
    #expect(accepted?.remote.description.hasPrefix("127.0.0.1:") == true)
  }

  @Test("a recorded message reports a connection that ended")
  func destroyed() throws {
    var connections: [TCPConnection] = []
    try recorded("dual-stack-destroyed").withUnsafeBytes { decodeDestroyed($0, into: &connections) }
    #expect(Set(connections.map(\.local.port)) == [8080])
  }

  @Test("recorded answers list an AF_UNIX listener and its clients")
  func unix() throws {
    let (listeners, listenersEnd) = try recorded("unix-listener").withUnsafeBytes {
      items(in: $0, as: UnixSocket.init(diagMessage:))
    }
    let (connected, connectedEnd) = try recorded("unix-connected").withUnsafeBytes {
      items(in: $0, as: UnixSocket.init(diagMessage:))
    }
    #expect(listenersEnd == .more && connectedEnd == .done)
    guard let listener = listeners.first else {
      Issue.record("no listener")
      return
    }
    #expect(listener.state == .listen)
    #expect(listener.address == .path("/tmp/net-rec.sock"))
    #expect(connected.count == 3)
    let open = openConnections(of: listener, among: connected)
    #expect(open.connections.map(\.place) == [.accepted, .queued])
    #expect(open.connections.map(\.remote) == [.abstract("client"), .unnamed])
  }

  @Test("messages of another request are skipped, and an error has its errno")
  func framing() throws {
    let bytes = try recorded("dual-stack-tcp4")
    let (connections, progress) = bytes.withUnsafeBytes {
      items(in: $0, sequence: 2, as: TCPConnection.init(diagMessage:))
    }
    #expect(progress == .more)
    #expect(connections.isEmpty)
    // NLMSG_ERROR with -ENOENT, as the kernel sends it.
    let refusal: [UInt8] = [20, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 254, 255, 255, 255]
    let refused = refusal.withUnsafeBytes { items(in: $0, as: TCPConnection.init(diagMessage:)) }
    #expect(refused.progress == .failed(ENOENT))
  }

  @Test(
    "every prefix of an answer of sock_diag, and every answer with a byte changed, is read without a trap",
    arguments: ["dual-stack-tcp4", "dual-stack-tcp6", "dual-stack-destroyed", "unix-listener", "unix-connected"])
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
    #expect(decodeAll(bytes) > 0)
  }

  @discardableResult
  private func decodeAll(_ bytes: [UInt8]) -> Int {
    bytes.withUnsafeBytes { bytes in
      let connections = items(in: bytes, as: TCPConnection.init(diagMessage:)).items
      let sockets = items(in: bytes, as: UnixSocket.init(diagMessage:)).items
      var destroyed: [TCPConnection] = []
      decodeDestroyed(bytes, into: &destroyed)
      return connections.count + sockets.count + destroyed.count
    }
  }

  private func tcp(_ name: String) throws -> ([TCPConnection], NetlinkProgress) {
    try recorded(name).withUnsafeBytes { items(in: $0, as: TCPConnection.init(diagMessage:)) }
  }
}

@Suite("Port filter of sock_diag")
struct TCPPortFilterTests {
  @Test("a port filter compares with one port or more, and there is none for too many ports")
  func programs() {
    #expect(TCPPortFilter.program(for: []) == nil)
    #expect(TCPPortFilter.program(for: [80]) == [11, 8, 12, 0, 0, 0, 80, 0])
    #expect(
      TCPPortFilter.program(for: [80, 443]) == [
        11, 8, 12, 0, 0, 0, 80, 0, 1, 4, 12, 0,
        11, 8, 12, 0, 0, 0, 0xbb, 1,
      ])
    let most = Set((1...256).map { UInt16($0) })
    #expect(TCPPortFilter.program(for: most)?.count == 256 * 12 - 4)
    #expect(TCPPortFilter.program(for: most.union([1000])) == nil)
  }
}
