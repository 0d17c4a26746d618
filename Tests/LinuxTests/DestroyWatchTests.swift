import CLinux
import Glibc
import Testing

@testable import Linux

@Suite("Destroy watch")
struct DestroyWatchTests {
  @Test(
    "a connection that ends is reported with its port, over IPv4 and IPv6",
    arguments: [
      (SocketAddress.ipv4(.any, port: 80), SocketAddress.ipv4(.loopback, port: 80)),
      (.ipv6(.any, port: 80, scope: 0), .ipv6(.loopback, port: 80, scope: 0)),
      (.ipv6(.any, port: 80, scope: 0), .ipv4(.loopback, port: 80)),
    ])
  func event(bound: SocketAddress, called: SocketAddress) throws {
    try inNetworkNamespace {
      let watch = try DestroyWatch()
      try watch.watch(ports: [80])
      let listener = try openListener(.stream, bound)
      let connection = try Connection(to: listener, at: called)
      #expect(try watch.drain().ports == [])
      connection.server = nil
      try waitForInput(watch.descriptor)
      #expect(try watch.drain().ports == [80])
      #expect(try !hasInput(watch.descriptor))
    }
  }

  @Test("a destroy watch reports only the ports that it watches, and at first none")
  func filter() throws {
    try inNetworkNamespace {
      let watch = try DestroyWatch()
      let all = try DestroyWatch()
      try all.watch(ports: Set((1...3000).map { UInt16($0) }))
      for port: UInt16 in [80, 81, 82, 83] {
        let address = SocketAddress.ipv4(.loopback, port: port)
        let listener = try openListener(.stream, address)
        if port == 81 { try watch.watch(ports: [82, 81]) }
        let connection = try Connection(to: listener)
        connection.server = nil
        var reported: Set<UInt16> = []
        while !reported.contains(port) {
          try waitForInput(all.descriptor)
          reported.formUnion(try all.drain().ports ?? [])
        }
      }
      // The kernel notifies all watches together, so what has not arrived by now was not sent.
      #expect(try watch.drain().ports == [81, 82])
    }
  }

  @Test("messages that the kernel had to drop are an overflow, and later connections are reported again")
  func overflow() throws {
    try inNetworkNamespace {
      let watch = try DestroyWatch()
      try watch.watch(ports: [80])
      try setOption(watch.descriptor, SOL_SOCKET, SO_RCVBUF, Int32(1), named: "SO_RCVBUF")
      let other = try DestroyWatch()
      try other.watch(ports: [80])
      let listener = try openListener(.stream, .ipv4(.loopback, port: 80))
      for _ in 0..<20 {
        let connection = try Connection(to: listener)
        connection.server = nil
        try waitForInput(other.descriptor)
        _ = try other.drain()
      }
      #expect(try watch.drain() == .overflow)
      #expect(try watch.drain().ports == [])
      let connection = try Connection(to: listener)
      connection.server = nil
      try waitForInput(watch.descriptor)
      #expect(try watch.drain().ports == [80])
    }
  }

  @Test("a connection that is reset in the queue is not open any more, but is reported only when somebody accepts it")
  func reset() throws {
    try inNetworkNamespace {
      let watch = try DestroyWatch()
      try watch.watch(ports: [80])
      let listener = try openListener(.stream, .ipv4(.loopback, port: 80))
      let client = try connected(to: .ipv4(.loopback, port: 80))
      try waitForInput(listener)
      // Connecting to AF_UNSPEC resets the connection. close(2) would do so only if no other test's child had a copy of the descriptor.
      var nobody = sockaddr()
      #expect(connect(client.raw, &nobody, 16) == 0)
      #expect(try comesTrue { () throws(SystemError) in try SockDiag().tcpConnections(localPorts: [80]).isEmpty })
      #expect(try queue(of: listener, reaches: 1))
      #expect(try watch.drain().ports == [])
      _ = try acceptNext(listener)
      try waitForInput(watch.descriptor)
      #expect(try watch.drain().ports == [80])
    }
  }

  @Test("a listener that is closed is not reported as a connection")
  func listener() throws {
    try inNetworkNamespace {
      let watch = try DestroyWatch()
      try watch.watch(ports: [80])
      close(try openListener(.stream, .ipv4(.loopback, port: 80)))
      try waitForInput(watch.descriptor)
      #expect(try watch.drain() == .connections([]))
    }
  }

  @Test("the end of a connection is reported with the number of bytes sent")
  func sent() throws {
    try inNetworkNamespace {
      let watch = try DestroyWatch()
      try watch.watch(ports: [80])
      let listener = try openListener(.stream, .ipv4(.loopback, port: 80))
      for words in ["", "twelve bytes"] {
        let connection = try Connection(to: listener)
        if let server = connection.server?.raw { send(server, words, words.utf8.count, 0) }
        connection.server = nil
        try waitForInput(watch.descriptor)
        #expect(try watch.drain().connections?.map(\.bytesSent) == [UInt64(words.utf8.count)])
      }
    }
  }

  private func close(_ descriptor: consuming OwnedFD) {}
}

extension DestroyedConnections {
  /// Nil after an overflow.
  fileprivate var connections: [TCPConnection]? {
    switch self {
    case .connections(let connections): connections
    case .overflow: nil
    }
  }

  fileprivate var ports: Set<UInt16>? { connections.map { Set($0.compactMap(\.local.port)) } }
}
