import Glibc
import Testing

@testable import Linux

@Suite("Activity of datagram sockets")
struct DatagramActivityTests {
  @Test(
    "the timestamp of the last datagram received stays, and a queued datagram counts as queued bytes",
    arguments: [SocketAddress.ipv4(.loopback, port: 53), .ipv6(.loopback, port: 53, scope: 0)])
  func stamp(address: SocketAddress) throws {
    try inNetworkNamespace {
      let socket = try openListener(.datagram, address)
      let ours = try socket.duplicate()
      #expect(try lastDatagram(on: ours) == nil)
      #expect(try queuedBytes(on: ours) == 0)
      let before = Clocks.realtime
      let client = try connected(.datagram, to: address)
      #expect(send(client.raw, "hello", 5, 0) == 5)
      try waitForInput(socket)
      #expect(try lastDatagram(on: ours) == nil)
      #expect(try queuedBytes(on: ours) > 0)
      var bytes = [UInt8](repeating: 0, count: 16)
      #expect(recv(socket.raw, &bytes, 16, 0) == 5)
      let stamp = try lastDatagram(on: ours)
      // It may be later than the arrival, because the kernel turns timestamps on in the background.
      let after = Clocks.realtime
      #expect(stamp.map { before <= $0 && $0 <= after } == true)
      #expect(try lastDatagram(on: ours) == stamp)
      #expect(try queuedBytes(on: ours) == 0)
    }
  }

  @Test("an empty datagram counts as queued bytes, like any other")
  func empty() throws {
    try inNetworkNamespace {
      let address = SocketAddress.ipv4(.loopback, port: 53)
      let socket = try openListener(.datagram, address)
      let client = try connected(.datagram, to: address)
      #expect(send(client.raw, "", 0, 0) == 0)
      try waitForInput(socket)
      #expect(try queuedBytes(on: socket) > 0)
    }
  }

  @Test("an AF_UNIX datagram has no timestamp, and counts as queued bytes")
  func unix() throws {
    try inNetworkNamespace {
      let socket = try openListener(.datagram, .abstract("x"))
      let client = try connected(.datagram, to: .abstract("x"))
      #expect(try lastDatagram(on: socket) == nil)
      #expect(try queuedBytes(on: socket) == 0)
      #expect(send(client.raw, "hello", 5, 0) == 5)
      #expect(try queuedBytes(on: socket) == 5)
      #expect(try hasInput(socket))
      #expect(try lastDatagram(on: socket) == nil)
    }
  }
}
