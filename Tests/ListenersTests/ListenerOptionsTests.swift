import Glibc
import GuestSpec
import Linux
import Synchronization
import Systemd
import Testing

@testable import Listeners

@Suite("A guest's sockets and this host")
struct ListenerOptionsTests {
  @Test("On a host without IPv6 a socket for all addresses is one of IPv4, and no other address changes")
  func withoutIPv6() throws {
    let any = [UInt8](repeating: 0, count: 16)
    let loopback = Array(any.dropLast()) + [1]
    #expect(try SocketAddress(.ipv6(address: any, port: 80, scope: nil), hasIPv6: false) == .ipv4(.any, port: 80))
    #expect(
      try SocketAddress(.ipv6(address: any, port: 80, scope: nil), hasIPv6: true) == .ipv6(.any, port: 80, scope: 0))
    #expect(
      try SocketAddress(.ipv6(address: loopback, port: 80, scope: nil), hasIPv6: false)
        == .ipv6(.loopback, port: 80, scope: 0))
  }

  @Test("A wait for packets on their way serves all that ask, in turns, and none twice")
  func barrier() throws {
    let loop = try EventLoop()
    let barrier = try LookupBarrier(loop)
    var over: [Int] = []
    let end = try loop.after(.seconds(30)) { loop.exit() }
    for number in 1...3 {
      barrier.wait {
        over.append(number)
        if number == 1 { barrier.wait { over.append(4) } }
        if number == 3 { barrier.wait { loop.exit() } }
      }
    }
    try loop.run()
    #expect(over.sorted() == [1, 2, 3, 4] && over.first == 1)
    withExtendedLifetime(end) {}
  }
}
