import CLinux
import Glibc
import Testing

@testable import Linux

@Suite("sock_diag of TCP")
struct SockDiagTests {
  private let dualStack = SocketAddress.ipv6(.any, port: 80, scope: 0)
  private let limit = Duration.seconds(300)

  @Test("an IPv4 client of [::] is listed with its IPv4 address")
  func dualStackClient() throws {
    try inNetworkNamespace {
      let listener = try openListener(.stream, dualStack)
      let connection = try Connection(to: listener, at: .ipv4(.loopback, port: 80))
      let open = try scan(dualStack)
      #expect(open.connections.count == 1)
      #expect(open.connections.first?.place == .accepted)
      #expect(open.connections.first?.remote == (try connection.clientAddress()))
      #expect(open.connections.first?.state == .established)
    }
  }

  @Test(
    "queued and accepted connections of a listener are listed, and those of others are not", arguments: [false, true])
  func queued(isIPv6: Bool) throws {
    try inNetworkNamespace {
      let address: SocketAddress = isIPv6 ? .ipv6(.loopback, port: 80, scope: 0) : .ipv4(.loopback, port: 80)
      let listener = try openListener(.stream, address)
      let other = try anyListener()
      let stranger = try Connection(to: other)
      #expect(try scan(address).connections.isEmpty)
      let client = try connected(to: address)
      try waitForInput(listener)
      let open = try scan(address)
      #expect(open.connections.map(\.place) == [.queued])
      #expect(open.connections.first?.silence != nil)
      let server = try acceptNext(listener)
      #expect(try scan(address).connections.map(\.place) == [.accepted])
      #expect(try scan(address).connections.first?.cookie == cookie(of: server))
      #expect(try localAddress(of: client).port == scan(address).connections.first?.remote.port)
      #expect(try stranger.works())
    }
  }

  @Test("two hundred connections at two ports are all listed")
  func many() throws {
    try inNetworkNamespace {
      let one = try openListener(.stream, .ipv4(.any, port: 81))
      let two = try openListener(.stream, .ipv6(.any, port: 82, scope: 0))
      var connections: [Connection] = []
      for _ in 0..<100 {
        connections.append(try Connection(to: one, at: .ipv4(.loopback, port: 81)))
        connections.append(try Connection(to: two, at: .ipv6(.loopback, port: 82, scope: 0)))
      }
      let all = try SockDiag().tcpConnections(localPorts: [80, 81, 82])
      #expect(all.count == 200)
      #expect(Set(all.map(\.cookie)).count == 200)
      #expect(try SockDiag().tcpConnections(localPorts: [81]).count == 100)
      // These are too many ports for a filter in the kernel, so the list is filtered here.
      let many = Set((1000..<2000).map { UInt16($0) })
      #expect(try SockDiag().tcpConnections(localPorts: many.union([82])).count == 100)
      #expect(try SockDiag().tcpConnections(localPorts: Set((1..<257).map { UInt16($0) })).count == 200)
    }
  }

  @Test("a connection whose client has closed counts until it has been silent for the limit")
  func closeWait() throws {
    try inNetworkNamespace {
      let listener = try openListener(.stream, dualStack)
      let connection = try Connection(to: listener, at: .ipv6(.loopback, port: 80, scope: 0))
      connection.client = nil
      #expect(
        try comesTrue { () throws(SystemError) in try scan(dualStack).connections.map(\.state) == [.closeWait] })
      let open = try scan(dualStack)
      #expect((open.rescanAfter ?? limit) <= limit)
      #expect(try scan(dualStack, limit: .zero).connections.isEmpty)
      connection.server = nil
      #expect(try comesTrue { () throws(SystemError) in try scan(dualStack).connections.isEmpty })
    }
  }

  @Test("a connection that the guest closed first is an orphan of the kernel and does not count")
  func orphans() throws {
    try inNetworkNamespace {
      let listener = try openListener(.stream, .ipv4(.loopback, port: 80))
      let connection = try Connection(to: listener)
      connection.server = nil
      var all: [TCPConnection] = []
      #expect(
        try comesTrue { () throws(SystemError) in
          all = try SockDiag().tcpConnections(localPorts: [80])
          return all.map(\.inode) == [0]
        })
      // Which state it is depends on whether the client delays its acknowledgement.
      #expect(all.allSatisfy { [.finWait1, .finWait2].contains($0.state) })
      #expect(try scan(.ipv4(.loopback, port: 80)).connections.isEmpty)
      connection.client = nil
      // It is in TIME-WAIT then.
      #expect(try comesTrue { () throws(SystemError) in try SockDiag().tcpConnections(localPorts: [80]).isEmpty })
    }
  }

  @Test("a connection whose sending direction the guest has shut down still counts as accepted")
  func halfClosedByGuest() throws {
    try inNetworkNamespace {
      let listener = try openListener(.stream, .ipv4(.loopback, port: 80))
      let connection = try Connection(to: listener)
      #expect(shutdown(connection.server?.raw ?? -1, Int32(SHUT_WR)) == 0)
      let open = try scan(.ipv4(.loopback, port: 80)).connections
      #expect(open.map(\.place) == [.accepted])
      #expect(open.allSatisfy { $0.state == .finWait1 || $0.state == .finWait2 })
    }
  }

  @Test("a client that has connected and sent nothing yet is half open, which is no use")
  func halfOpen() throws {
    try inNetworkNamespace {
      var options = SocketOptions()
      options.deferAccept = .seconds(30)
      let listener = try openListener(.stream, dualStack, options)
      #expect(try !SockDiag().isAnyHalfOpen(at: [dualStack]))
      let client = try connected(to: .ipv4(.loopback, port: 80))
      #expect(try scan(dualStack) == OpenConnections())
      #expect(try SockDiag().isAnyHalfOpen(at: [dualStack]))
      #expect(try !SockDiag().isAnyHalfOpen(at: [.ipv6(.any, port: 81, scope: 0), .ipv4(.any, port: 80)]))
      #expect(try !hasInput(listener))
      #expect(try SockDiag().tcpConnections(localPorts: [80]).isEmpty)
      withExtendedLifetime(client.raw) {}
    }
  }

  @Test("a client that has sent nothing and closed is spent, one that has sent something is not")
  func spent() throws {
    try inNetworkNamespace {
      let listener = try openListener(.stream, .ipv4(.loopback, port: 80))
      for text in ["", "x"] {
        let client = try connected(to: .ipv4(.loopback, port: 80))
        if !text.isEmpty { #expect(send(client.raw, text, 1, 0) == 1) }
        #expect(try SockDiag().tcpConnections(localPorts: [80]).allSatisfy { !$0.isSpent })
        #expect(shutdown(client.raw, Int32(SHUT_WR)) == 0)
        #expect(
          try comesTrue { () throws(SystemError) in
            let states = try SockDiag().tcpConnections(localPorts: [80])
            return states.contains { $0.state == .closeWait && $0.isSpent == text.isEmpty }
          })
        _ = try acceptNext(listener)
      }
    }
  }

  @Test("no connections are listed for no ports")
  func noPorts() throws {
    #expect(try SockDiag().tcpConnections(localPorts: []).isEmpty)
  }

  private func scan(_ listener: SocketAddress, limit: Duration? = nil) throws(SystemError) -> OpenConnections {
    let port = listener.port ?? 0
    let connections = try SockDiag().tcpConnections(localPorts: [port])
    return openConnections(of: listener, among: connections, closeWaitLimit: limit ?? self.limit)
  }
}
