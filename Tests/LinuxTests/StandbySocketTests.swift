import CLinux
import Glibc
import Testing

@testable import Linux

@Suite("Two sockets at one address")
struct StandbySocketTests {
  static let addresses = [
    SocketAddress.ipv4(.loopback, port: 80), .ipv4(.any, port: 80), .ipv6(.loopback, port: 80, scope: 0),
    .ipv6(.any, port: 80, scope: 0),
  ]

  @Test("a second one joins a listener that knew nothing of it", arguments: addresses)
  func joins(address: SocketAddress) throws {
    try inNetworkNamespace {
      let first = try openListener(.stream, address)
      let second = try openStandby(of: first, backlog: 1)
      #expect(try localAddress(of: second) == address)
      #expect(try cookie(of: first) != cookie(of: second))
      #expect(fcntl(second.raw, F_GETFL) & O_NONBLOCK != 0)
      #expect(fcntl(second.raw, F_GETFD) & FD_CLOEXEC != 0)
    }
  }

  @Test("it has the options of the first, also those that a guest set, and at least its backlog")
  func options() throws {
    try inNetworkNamespace {
      var options = SocketOptions()
      options.ipv6Only = .only
      options.freeBind = true
      options.keepAlive = true
      options.keepAliveTime = .seconds(77)
      options.noDelay = true
      options.receiveBuffer = 64 << 20
      options.deferAccept = .seconds(3)
      options.backlog = 50
      let first = try openListener(.stream, .ipv6(.any, port: 80, scope: 0), options)
      let tcp = Int32(IPPROTO_TCP)
      try setOption(first, tcp, TCP_USER_TIMEOUT, Int32(5000), named: "TCP_USER_TIMEOUT")
      let second = try openStandby(of: first, backlog: 3)
      for (level, name) in [
        (Int32(IPPROTO_IPV6), IPV6_V6ONLY), (Int32(IPPROTO_IPV6), LINUX_IPV6_FREEBIND), (SOL_SOCKET, SO_KEEPALIVE),
        (tcp, TCP_NODELAY),
      ] { #expect(try flag(second, level, name)) }
      for name in [TCP_KEEPIDLE, TCP_DEFER_ACCEPT, TCP_USER_TIMEOUT] {
        #expect(try number(second, tcp, name) == number(first, tcp, name))
      }
      #expect(try number(second, SOL_SOCKET, SO_RCVBUF) == 128 << 20)
      #expect(try acceptQueue(of: second) == AcceptQueue(length: 0, limit: 50))
      // What nobody set stays the kernel's own affair, for it grows with need.
      #expect(try number(second, SOL_SOCKET, LINUX_SO_BUF_LOCK) == 2)
    }
  }

  @Test("it joins a listener of another user, whom the kernel would not let in by itself")
  func otherUser() throws {
    try inNetworkNamespace {
      let first = try openListener(.stream, .ipv4(.loopback, port: 80))
      #expect(fchown(first.raw, 1000, .max) == 0)
      let second = try openStandby(of: first, backlog: 10)
      #expect(try isListening(second))
    }
  }

  @Test("where there can be none, that is said")
  func refused() throws {
    try inNetworkNamespace {
      let unix = try openListener(.stream, .abstract("x"))
      expectFailure("standby socket for @x: Operation not supported") { () throws(SystemError) in
        _ = try openStandby(of: unix, backlog: 1)
      }
      let listener = try openListener(.stream, .ipv4(.loopback, port: 80))
      #expect(shutdown(listener.raw, Int32(SHUT_RD)) == 0)
      expectFailure("getsockopt TCP_INFO: Invalid argument") { () throws(SystemError) in
        _ = try openStandby(of: listener, backlog: 1)
      }
      #expect(try !flag(listener, SOL_SOCKET, SO_REUSEPORT))
    }
  }
}
