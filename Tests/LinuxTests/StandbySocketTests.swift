import CLinux
import Glibc
import Testing

@testable import Linux

@Suite("Standby sockets")
struct StandbySocketTests {
  static let addresses = [
    SocketAddress.ipv4(.loopback, port: 80), .ipv4(.any, port: 80), .ipv6(.loopback, port: 80, scope: 0),
    .ipv6(.any, port: 80, scope: 0),
  ]

  @Test("a standby joins a listener that was bound without SO_REUSEPORT", arguments: addresses)
  func joins(address: SocketAddress) throws {
    try inNetworkNamespace {
      let primary = try openListener(.stream, address)
      let standby = try openStandby(of: primary, backlog: 1)
      #expect(try localAddress(of: standby) == address)
      #expect(try cookie(of: primary) != cookie(of: standby))
      #expect(fcntl(standby.raw, F_GETFL) & O_NONBLOCK != 0)
      #expect(fcntl(standby.raw, F_GETFD) & FD_CLOEXEC != 0)
    }
  }

  @Test("a standby has the options of its primary, also those that a guest set, and at least its backlog")
  func options() throws {
    try inNetworkNamespace {
      var options = SocketOptions()
      options.ipv6Only = .only
      options.freeBind = true
      options.keepAlive.isOn = true
      options.keepAlive.time = .seconds(77)
      options.noDelay = true
      options.receiveBuffer = 64 << 20
      options.deferAccept = .seconds(3)
      options.backlog = 50
      let primary = try openListener(.stream, .ipv6(.any, port: 80, scope: 0), options)
      let tcp = Int32(IPPROTO_TCP)
      try setOption(primary, tcp, TCP_USER_TIMEOUT, Int32(5000), named: "TCP_USER_TIMEOUT")
      let standby = try openStandby(of: primary, backlog: 3)
      for (level, name) in [
        (Int32(IPPROTO_IPV6), IPV6_V6ONLY), (Int32(IPPROTO_IPV6), LINUX_IPV6_FREEBIND), (SOL_SOCKET, SO_KEEPALIVE),
        (tcp, TCP_NODELAY),
      ] { #expect(try flag(standby, level, name)) }
      for name in [TCP_KEEPIDLE, TCP_DEFER_ACCEPT, TCP_USER_TIMEOUT] {
        #expect(try number(standby, tcp, name) == number(primary, tcp, name))
      }
      #expect(try number(standby, SOL_SOCKET, SO_RCVBUF) == 128 << 20)
      #expect(try acceptQueue(of: standby) == AcceptQueue(length: 0, limit: 50))
      // The kernel grows a buffer whose size nobody has set, so that is not copied.
      #expect(try number(standby, SOL_SOCKET, LINUX_SO_BUF_LOCK) == 2)
    }
  }

  @Test("a standby joins a listener of another user")
  func otherUser() throws {
    try inNetworkNamespace {
      let primary = try openListener(.stream, .ipv4(.loopback, port: 80))
      #expect(fchown(primary.raw, 1000, .max) == 0)
      let standby = try openStandby(of: primary, backlog: 10)
      #expect(try isListening(standby))
    }
  }

  @Test("a standby of an AF_UNIX socket or of a listener that was shut down is an error")
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
