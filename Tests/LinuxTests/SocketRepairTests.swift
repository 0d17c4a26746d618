import Glibc
import Testing

@testable import Linux

@Suite("Repair of a shared socket")
struct SocketRepairTests {
  private let tcp = SocketAddress.ipv6(.any, port: 80, scope: 0)

  @Test("a listener that the guest left alone is sound, and keeps its queue")
  func sound() throws {
    try inNetworkNamespace {
      let listener = try openListener(.stream, tcp)
      try queueClient(of: listener)
      #expect(try repairListener(listener, backlog: 10) == .sound)
      #expect(try queue(of: listener, reaches: 1))
      let datagram = try openListener(.datagram, tcp)
      #expect(try repairListener(datagram, backlog: 10) == .sound)
    }
  }

  @Test("a listener that was shut down listens again on its port")
  func shutDown() throws {
    try inNetworkNamespace {
      let listener = try openListener(.stream, tcp)
      #expect(shutdown(listener.raw, Int32(SHUT_RD)) == 0)
      #expect(try !isListening(listener))
      #expect(try repairListener(listener, backlog: 10) == .repaired)
      let connection = try Connection(to: listener, at: .ipv4(.loopback, port: 80))
      #expect(try connection.works())
    }
  }

  @Test("a listener that was disconnected listens again on its port")
  func disconnected() throws {
    try inNetworkNamespace {
      let listener = try openListener(.stream, tcp)
      var nobody = sockaddr()
      #expect(connect(listener.raw, &nobody, 16) == 0)
      #expect(try repairListener(listener, backlog: 10) == .repaired)
      let connection = try Connection(to: listener)
      #expect(try connection.works())
    }
  }

  @Test("a datagram socket that was connected receives from everybody again")
  func datagramConnected() throws {
    try inNetworkNamespace {
      let address = SocketAddress.ipv4(.any, port: 53)
      let socket = try openListener(.datagram, address)
      let raw = socket.raw
      #expect(SocketAddress.ipv4(.loopback, port: 5353).withSockaddr { connect(raw, $0, $1) } == 0)
      #expect(try repairListener(socket, backlog: 0) == .repaired)
      #expect(try localAddress(of: socket) == address)
      let client = try connected(.datagram, to: .ipv4(.loopback, port: 53))
      #expect(send(client.raw, "x", 1, 0) == 1)
      try waitForInput(socket)
      #expect(try hasInput(socket))
    }
  }

  @Test("a socket that the kernel cannot restore is lost: UDP and AF_UNIX shut down, TCP connected elsewhere")
  func lost() throws {
    try inNetworkNamespace {
      let datagram = try openListener(.datagram, .ipv4(.any, port: 53))
      _ = shutdown(datagram.raw, Int32(SHUT_RD))
      #expect(try repairListener(datagram, backlog: 0) == .lost)

      let unix = try openListener(.stream, .abstract("x"))
      #expect(shutdown(unix.raw, Int32(SHUT_RD)) == 0)
      #expect(try repairListener(unix, backlog: 10) == .lost)

      let other = try openListener(.stream, .ipv4(.loopback, port: 81))
      let listener = try openListener(.stream, .ipv4(.loopback, port: 82))
      #expect(try isListening(other))
      #expect(shutdown(listener.raw, Int32(SHUT_RD)) == 0)
      let raw = listener.raw
      #expect(fcntl(raw, F_SETFL, 0) == 0)
      #expect(SocketAddress.ipv4(.loopback, port: 81).withSockaddr { connect(raw, $0, $1) } == 0)
      #expect(try repairListener(listener, backlog: 10) == .lost)
    }
  }

  @Test("a repaired datagram socket has no pending errors of what a guest sent, and keeps its queue")
  func returnedErrors() throws {
    try inNetworkNamespace {
      let socket = try openListener(.datagram, .ipv4(.any, port: 53))
      let raw = socket.raw
      var on: Int32 = 1
      #expect(setsockopt(raw, Int32(IPPROTO_IP), 11 /* IP_RECVERR */, &on, 4) == 0)
      let nobody = SocketAddress.ipv4(.loopback, port: 9)
      #expect(nobody.withSockaddr { sendto(raw, "x", 1, 0, $0, $1) } == 1)
      #expect(try comesTrue { () throws(SystemError) in try pollEvents(socket, POLLIN) == POLLERR })
      let client = try connected(.datagram, to: .ipv4(.loopback, port: 53))
      try sendDatagram("y", by: client, to: socket)
      #expect(try repairListener(socket, backlog: 0) == .sound)
      #expect(try pollEvents(socket, POLLIN) == POLLIN)
    }
    let local = try openListener(.datagram, .abstract("dormouse-errors-\(getpid())"))
    let client = try connected(.datagram, to: try localAddress(of: local))
    #expect(send(client.raw, "y", 1, 0) == 1)
    try clearErrors(of: local)
    #expect(try hasInput(local))
  }

  @Test("refusing drops the datagrams of UDP, at most as many as the limit")
  func dropDatagrams() throws {
    try inNetworkNamespace {
      let address = SocketAddress.ipv4(.loopback, port: 53)
      let socket = try openListener(.datagram, address)
      let client = try connected(.datagram, to: address)
      #expect(fcntl(socket.raw, F_SETFL, 0) == 0)
      for _ in 0..<3 { try sendDatagram("x", by: client, to: socket) }
      #expect(try dropQueued(at: socket, limit: 2) == 2)
      #expect(try dropQueued(at: socket, limit: 2) == 1)
      #expect(try !hasInput(socket))
      _ = shutdown(socket.raw, Int32(SHUT_RDWR))
      #expect(throws: SystemError("recv", errno: EINVAL)) { try dropQueued(at: socket, limit: 2) }
    }
  }

  @Test("refusing resets the clients queued at a TCP listener that may be blocking, and it listens again")
  func reset() throws {
    try inNetworkNamespace {
      let listener = try openListener(.stream, tcp)
      #expect(fcntl(listener.raw, F_SETFL, 0) == 0)
      #expect(try resetQueued(at: listener, backlog: 8) == 0)
      let first = try connected(to: tcp)
      let second = try connected(to: tcp)
      #expect(try queue(of: listener, reaches: 2))
      #expect(try resetQueued(at: listener, backlog: 8) == 2)
      for raw in [first.raw, second.raw] {
        var byte: UInt8 = 0
        #expect(recv(raw, &byte, 1, 0) == -1 && errno == ECONNRESET)
      }
      let third = try connected(to: tcp)
      _ = try acceptNext(listener)
      withExtendedLifetime(third.raw) {}
      #expect(shutdown(listener.raw, Int32(SHUT_RDWR)) == 0)
      #expect(throws: SystemError.self) { try resetQueued(at: listener, backlog: 8) }
    }
  }

  @Test("a process refuses the clients of AF_UNIX sockets, though they are blocking, and ends with its owner")
  func refusingProcess() throws {
    try inNetworkNamespace {
      let kinds = [SocketKind.stream, .sequentialPacket, .datagram]
      for kind in kinds {
        let address = SocketAddress.abstract("x")
        let listener = try openListener(kind, address)
        #expect(fcntl(listener.raw, F_SETFL, 0) == 0)
        let list = DescriptorList()
        list.append(try listener.duplicate())
        var process: RefusingProcess? = try RefusingProcess(at: list)
        var refused = 0
        for count in 1...3 {
          let client = try connected(kind, to: address)
          if kind == .datagram { #expect(send(client.raw, "x", 1, 0) == 1) }
          #expect(
            comesTrue {
              refused += process?.refused() ?? 0
              return refused == count
            })
          var byte: UInt8 = 0
          if kind != .datagram { #expect(read(client.raw, &byte, 1) == 0) }
        }
        process = nil
        let late = try connected(kind, to: address)
        if kind == .datagram { #expect(send(late.raw, "x", 1, 0) == 1) }
        #expect(try hasInput(listener))
      }
    }
  }
}
