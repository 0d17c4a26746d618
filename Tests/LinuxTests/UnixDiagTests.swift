import Glibc
import Testing

@testable import Linux

@Suite("sock_diag of AF_UNIX")
struct UnixDiagTests {
  @Test(
    "queued and accepted AF_UNIX connections of a listener are listed, by path and by name, and not those of others",
    arguments: [SocketKind.stream, .sequentialPacket])
  func connections(kind: SocketKind) throws {
    try inNetworkNamespace {
      try inTemporaryDirectory { directory in
        let stranger = try openListener(kind, .path("\(directory)/y.sock"))
        let strangers = try Connection(to: stranger)
        for address in [SocketAddress.path("\(directory)/x.sock"), .abstract("x")] {
          let listener = try openListener(kind, address)
          #expect(try scan(listener).connections.isEmpty)
          let connection = try Connection(to: listener)
          let queued = try connected(kind, to: address)
          let open = try scan(listener).connections
          #expect(open.map(\.place) == [.accepted, .queued])
          #expect(open.map(\.remote) == [.unnamed, .unnamed])
          #expect(try connection.works())
          #expect(try cookie(of: queued) == open.last?.cookie)
        }
        #expect(try strangers.works())
      }
    }
  }

  @Test("an AF_UNIX connection whose client is gone does not count, whether accepted or queued")
  func gone() throws {
    try inNetworkNamespace {
      let listener = try openListener(.stream, .abstract("x"))
      let connection = try Connection(to: listener)
      #expect(try scan(listener).connections.count == 1)
      connection.client = nil
      #expect(try comesTrue { () throws(SystemError) in try scan(listener).connections.isEmpty })
      try queueClient(of: listener)
      #expect(try comesTrue { () throws(SystemError) in try scan(listener).connections.isEmpty })
      // It is still queued, and a guest that wakes will accept it.
      #expect(try hasInput(listener))
    }
  }

  @Test("the name of an AF_UNIX client is listed, with control characters escaped in its text")
  func named() throws {
    try inNetworkNamespace {
      let listener = try openListener(.stream, .abstract("x"))
      let client = OwnedFD(owning: socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0))
      let raw = client.raw
      #expect(SocketAddress.abstract("a\nb").withSockaddr { bind(raw, $0, $1) } == 0)
      #expect(SocketAddress.abstract("x").withSockaddr { connect(raw, $0, $1) } == 0)
      #expect(try scan(listener).connections.map(\.remote.description) == ["@a\\x0ab"])
    }
  }

  @Test("two hundred AF_UNIX connections are all listed")
  func many() throws {
    try inNetworkNamespace {
      let listener = try openListener(.stream, .abstract("x"))
      let connections = try (0..<200).map { _ in try Connection(to: listener) }
      #expect(try scan(listener).connections.count == connections.count)
    }
  }

  @Test("an AF_UNIX socket that does not exist is not found")
  func missing() throws {
    try inNetworkNamespace {
      let diag = try SockDiag()
      for inode: UInt64 in [1, .max] {
        let socket = try diag.unixSocket(inode: inode)
        #expect(socket == nil)
      }
    }
  }

  private func scan(_ listener: borrowing OwnedFD) throws(SystemError) -> OpenConnections {
    let diag = try SockDiag()
    let inode = try inode(of: listener)
    let all = try diag.unixSockets()
    let found = all.first { $0.inode == inode }
    let single = try diag.unixSocket(inode: inode)
    guard let found, let single else { throw SystemError("sock_diag", errno: ENOENT) }
    #expect(found.state == .listen)
    #expect(single.queued == found.pending.count && single.file == found.file && single.address == found.address)
    return openConnections(of: found, among: all)
  }
}
