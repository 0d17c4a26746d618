import Glibc
import Testing

@testable import Linux

@Suite("Queued datagrams")
struct QueuedDatagramTests {
  @Test(
    "queued datagrams are taken and sent again with their source, destination and order",
    arguments: [
      (SocketAddress.ipv4(.any, port: 53), SocketAddress.ipv4(.loopback, port: 53)),
      (.ipv4(.loopback, port: 53), .ipv4(.loopback, port: 53)),
      (.ipv6(.any, port: 53, scope: 0), .ipv6(.loopback, port: 53, scope: 0)),
      (.ipv6(.any, port: 53, scope: 0), .ipv4(.loopback, port: 53)),
      (.ipv6(.loopback, port: 53, scope: 0), .ipv6(.loopback, port: 53, scope: 0)),
    ])
  func movedBack(bound: SocketAddress, destination: SocketAddress) throws {
    try inNetworkNamespace {
      let primary = try openListener(.datagram, bound)
      let standby = try openStandby(of: primary, backlog: 0)
      try reportDestinations(on: standby)
      let steering = try ReuseportSteering(
        primary: primary, standby: standby, steeringTo: .standby, try ReuseportProgram())
      let client = try connected(.datagram, to: destination)
      let texts = ["one", "", "three", String(repeating: "x", count: 40_000)]
      for text in texts { try sendDatagram(text, by: client, to: standby) }
      try steering.steer(to: .primary, standby: standby)
      let back = try DatagramResend()
      for text in texts {
        let datagram = try #require(try receiveDatagram(from: standby))
        #expect(datagram.source == (try localAddress(of: client)))
        #expect(datagram.destination == destination)
        #expect(datagram.bytes == Array(text.utf8))
        try back.send(datagram)
      }
      #expect(try receiveDatagram(from: standby) == nil)
      try answerEach(texts.count, at: primary)
      for text in texts {
        var bytes = [UInt8](repeating: 0, count: 65536)
        // A connected client receives the reply only from the address that it sent to.
        try waitForInput(client)
        let count = recv(client.raw, &bytes, bytes.count, 0)
        #expect(Array(bytes[..<max(0, count)]) == Array(text.utf8))
      }
    }
  }

  @Test("a datagram is sent again from a source address that this machine does not have")
  func foreign() throws {
    try inNetworkNamespace {
      for (bound, source) in [
        (SocketAddress.ipv4(.loopback, port: 53), SocketAddress.ipv4(IPv4Address(0xc000_0201), port: 1234)),
        (
          .ipv6(.loopback, port: 53, scope: 0),
          .ipv6(IPv6Address(high: 0x2001_0db8_0000_0000, low: 1), port: 1234, scope: 0)
        ),
      ] {
        let socket = try openListener(.datagram, bound)
        try reportDestinations(on: socket)
        let datagram = QueuedDatagram(source: source, destination: bound, bytes: Array("hello".utf8))
        let back = try DatagramResend()
        try back.send(datagram)
        try waitForInput(socket)
        #expect(try receiveDatagram(from: socket) == datagram)
      }
    }
  }

  @Test(
    "datagrams are sent again to the side that is steered to, and the socket reports destinations only if it did before",
    arguments: [false, true])
  func resent(reported: Bool) throws {
    try inNetworkNamespace {
      // Two ports, because another test's child may have a copy of the first sockets for a moment.
      for address in [SocketAddress.ipv4(.loopback, port: 53), .ipv6(.any, port: 54, scope: 0)] {
        let primary = try openListener(.datagram, address)
        try reportDestinations(reported, on: primary)
        let standby = try openStandby(of: primary, backlog: 0)
        let steering = try ReuseportSteering(
          primary: primary, standby: standby, steeringTo: .primary, try ReuseportProgram())
        let client = try connected(.datagram, to: address)
        for text in ["one", "two"] { try sendDatagram(text, by: client, to: primary) }
        try steering.steer(to: .standby, standby: standby)
        #expect(try resendDatagrams(from: primary) == ResentDatagrams(count: 2))
        #expect(try reportDestinations(reported, on: primary) == reported)
        #expect(try reportDestinations(on: standby) == reported)
        for text in ["one", "two"] {
          try waitForInput(standby)
          #expect(try receiveDatagram(from: standby)?.bytes == Array(text.utf8))
        }
        #expect(try receiveDatagram(from: standby) == nil)
      }
    }
  }

  /// Sends each datagram back to its sender, as a guest would.
  private func answerEach(_ count: Int, at socket: borrowing OwnedFD) throws(SystemError) {
    for _ in 0..<count {
      try waitForInput(socket)
      var message = DatagramMessage(byteCount: 65536)
      _ = try message.receive(from: socket)
      message.packetInfo = nil
      try message.send(on: socket)
    }
  }
}
