import CLinux
import Glibc
import Testing

@testable import Linux

@Suite("A confined socket", .serialized)
struct SocketConfinementTests {
  private func confined(_ kind: SocketKind, _ address: SocketAddress) throws(SystemError) -> OwnedFD {
    var options = SocketOptions()
    options.isConfined = true
    return try openListener(kind, address, options)
  }

  private func connectTo(_ port: UInt16, by socket: borrowing OwnedFD) -> Int32 {
    let raw = socket.raw
    var nobody = sockaddr()
    _ = connect(raw, &nobody, socklen_t(MemoryLayout<sockaddr>.size))
    let address = SocketAddress.ipv4(.loopback, port: port)
    return address.withSockaddr { connect(raw, $0, $1) } == 0 ? 0 : errno
  }

  @Test("of TCP serves clients, and neither it nor what it accepted can be connected to others")
  func tcp() throws {
    try inNetworkNamespace {
      let other = try openListener(.stream, .ipv4(.loopback, port: 81))
      let listener = try confined(.stream, .ipv4(.loopback, port: 80))
      let connection = try Connection(to: listener)
      guard let server = connection.server.take() else { throw SystemError("accept", errno: EBADF) }
      #expect(send(server.raw, "x", 1, 0) == 1)
      let code = connectTo(81, by: server)
      #expect(code == EPERM)
      try shutDown(listener)
      let listenerCode = connectTo(81, by: listener)
      #expect(listenerCode == EPERM)
      #expect(try !hasInput(other))
      // Nothing of it is left in the file system.
      #expect(try directoryEntries(Cgroup2.ownDirectory()).allSatisfy { !$0.hasPrefix("socket-") })
    }
  }

  @Test(
    "of UDP answers whoever sent to it, and nobody else",
    arguments: [SocketAddress.ipv4(.any, port: 53), .ipv6(.any, port: 53, scope: 0)])
  func udp(address: SocketAddress) throws {
    try inNetworkNamespace {
      let socket = try confined(.datagram, address)
      let client = try connected(.datagram, to: .ipv4(.loopback, port: 53))
      try sendDatagram("x", by: client, to: socket)
      var from = sockaddr_storage()
      var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
      let raw = socket.raw
      var byte: UInt8 = 0
      let answered = withUnsafeMutablePointer(to: &from) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
          recvfrom(raw, &byte, 1, 0, name, &size) == 1 && sendto(raw, "y", 1, 0, name, size) == 1
        }
      }
      #expect(answered)
      try waitForInput(client)
      let other = try openListener(.datagram, .ipv4(.loopback, port: 54))
      let code = withUnsafeMutablePointer(to: &from) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
          // The port is in the same place for both families.
          UnsafeMutableRawPointer(name).storeBytes(of: UInt16(54).bigEndian, toByteOffset: 2, as: UInt16.self)
          return sendto(raw, "y", 1, 0, name, size) == 1 ? 0 : errno
        }
      }
      #expect(code == EPERM)
      #expect(try !hasInput(other))
    }
  }
}
