import CLinux
import Glibc
import Testing

@testable import Linux

@Suite("Listeners")
struct SocketListenerTests {
  @Test("a listener is non-blocking, closed on exec, and bound to its address")
  func basics() throws {
    try inNetworkNamespace {
      let address = SocketAddress.ipv4(.loopback, port: 8080)
      let listener = try openListener(.stream, address)
      #expect(fcntl(listener.raw, F_GETFL) & O_NONBLOCK != 0)
      #expect(fcntl(listener.raw, F_GETFD) & FD_CLOEXEC != 0)
      #expect(try localAddress(of: listener) == address)
      #expect(try kind(of: listener) == .stream)
      #expect(try isListening(listener))
      #expect(try flag(listener, SOL_SOCKET, SO_REUSEADDR))
      let status = try inode(of: listener)
      var search = SocketSearch(for: [status], limit: 10_000)
      try search.scan(process: getpid())
      #expect(search.isComplete)
    }
  }

  @Test("every option of a TCP listener is set, and accepted connections inherit it")
  func options() throws {
    try inNetworkNamespace {
      var options = SocketOptions()
      options.reusePort = true
      options.freeBind = true
      options.keepAlive.isOn = true
      options.keepAlive.time = .seconds(77)
      options.keepAlive.interval = .milliseconds(6500)
      options.keepAlive.probes = 5
      options.noDelay = true
      options.receiveBuffer = 64 << 20
      options.sendBuffer = 100_000
      options.backlog = 3
      // FreeBind= allows an address that this machine does not have.
      let foreign = SocketAddress.ipv4(IPv4Address(0xc000_0201), port: 80)
      let bound = try openListener(.stream, foreign, options)
      #expect(try localAddress(of: bound) == foreign)

      let listener = try openListener(.stream, .ipv6(.loopback, port: 80, scope: 0), options)
      #expect(try flag(listener, SOL_SOCKET, SO_REUSEPORT))
      #expect(try flag(listener, Int32(IPPROTO_IPV6), LINUX_IPV6_FREEBIND))
      let connection = try Connection(to: listener)
      guard let server = connection.server.take() else { return }
      let tcp = Int32(IPPROTO_TCP)
      #expect(try flag(server, SOL_SOCKET, SO_KEEPALIVE))
      #expect(try flag(server, tcp, TCP_NODELAY))
      #expect(try number(server, tcp, TCP_KEEPIDLE) == 77)
      #expect(try number(server, tcp, TCP_KEEPINTVL) == 7)
      #expect(try number(server, tcp, TCP_KEEPCNT) == 5)
      // The kernel doubles the size for its own bookkeeping. The forced option may exceed rmem_max.
      #expect(try number(server, SOL_SOCKET, SO_RCVBUF) == 128 << 20)
      #expect(try number(server, SOL_SOCKET, SO_SNDBUF) == 200_000)
      for _ in 0..<4 { try queueClient(of: listener) }
      #expect(try queue(of: listener, reaches: 4))
    }
  }

  @Test("a listener with deferred accepting is ready only once the client has sent data")
  func deferAccept() throws {
    try inNetworkNamespace {
      var options = SocketOptions()
      options.deferAccept = .seconds(60)
      let listener = try openListener(.stream, .ipv4(.loopback, port: 80), options)
      let client = try connected(to: .ipv4(.loopback, port: 80))
      #expect(try !hasInput(listener))
      #expect(send(client.raw, "x", 1, 0) == 1)
      try waitForInput(listener)
      #expect(try hasInput(listener))
    }
  }

  @Test("a listener at [::] serves IPv4 and IPv6, unless it is for IPv6 only")
  func bindIPv6Only() throws {
    try inNetworkNamespace {
      var options = SocketOptions()
      options.ipv6Only = .both
      do {
        let both = try openListener(.stream, .ipv6(.any, port: 80, scope: 0), options)
        let connection = try Connection(to: both, at: .ipv4(.loopback, port: 80))
        #expect(try connection.works())
      }
      options.ipv6Only = .only
      let only = try openListener(.stream, .ipv6(.any, port: 81, scope: 0), options)
      #expect(try flag(only, Int32(IPPROTO_IPV6), IPV6_V6ONLY))
      expectFailure("connect 127.0.0.1:81: Connection refused") { () throws(SystemError) in
        _ = try connected(to: .ipv4(.loopback, port: 81))
      }
      let v4 = try openListener(.stream, .ipv4(.any, port: 81))
      #expect(try isListening(v4))
    }
  }

  @Test("the error of a listener names the call, the address and the reason")
  func failures() throws {
    try inNetworkNamespace {
      let listener = try openListener(.stream, .ipv4(.any, port: 80))
      #expect(try isListening(listener))
      for (kind, address, text) in [
        (SocketKind.stream, SocketAddress.ipv4(.any, port: 80), "bind 0.0.0.0:80: Address already in use"),
        (.stream, .ipv4(IPv4Address(0xc000_0201), port: 80), "bind 192.0.2.1:80: Cannot assign requested address"),
        (.stream, .path("/" + String(repeating: "x", count: 107)), "File name too long"),
        (.sequentialPacket, .ipv4(.any, port: 82), "socket for 0.0.0.0:82: Socket type not supported"),
        (.stream, .path("/dev/null"), "bind /dev/null, which is not a socket: Address already in use"),
        (.stream, .path("/dev/null/x"), "Not a directory"),
      ] {
        expectFailure(text) { () throws(SystemError) in _ = try openListener(kind, address) }
      }
    }
  }

  @Test("a second datagram socket at the same port is an error")
  func datagramCollision() throws {
    try inNetworkNamespace {
      let first = try openListener(.datagram, .ipv4(.any, port: 53))
      #expect(try !isListening(first))
      expectFailure("bind 0.0.0.0:53: Address already in use") { () throws(SystemError) in
        _ = try openListener(.datagram, .ipv4(.any, port: 53))
      }
    }
  }

  @Test("a link-local address of a listener keeps its interface")
  func scope() throws {
    try inNetworkNamespace {
      // A bridge, because every kernel that runs containers supports it.
      #expect(system("ip link add br0 type bridge && ip link set br0 up && ip addr add fe80::9/64 dev br0 nodad") == 0)
      let index = try interfaceIndex(named: "br0")
      let address = SocketAddress.ipv6(IPv6Address(high: 0xfe80_0000_0000_0000, low: 9), port: 80, scope: index)
      #expect(address.description == "[fe80::9]:80%br0")
      let listener = try openListener(.stream, address)
      #expect(try localAddress(of: listener) == address)
      let connection = try Connection(to: listener)
      #expect(try connection.works())
    }
  }

  @Test("the longest times that a socket option can be given are capped at what the kernel takes")
  func longestTimes() throws {
    try inNetworkNamespace {
      var options = SocketOptions()
      options.deferAccept = Duration(secondsComponent: .max, attosecondsComponent: 1)
      let listener = try anyListener()
      try options.apply(to: listener, .stream, try localAddress(of: listener))
      #expect(try option(listener, Int32(IPPROTO_TCP), TCP_DEFER_ACCEPT, initially: Int32(0), named: "") > 60)
    }
  }

  @Test("the error for a descriptor that is not a supported socket says so")
  func strangers() throws {
    let null = OwnedFD(owning: open("/dev/null", O_RDONLY | O_CLOEXEC))
    expectFailure("getsockopt SO_TYPE: Socket operation on non-socket") { () throws(SystemError) in
      _ = try kind(of: null)
    }
    let netlink = OwnedFD(owning: socket(AF_NETLINK, Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue), 0))
    expectFailure("getsockname: Address family not supported by protocol") { () throws(SystemError) in
      _ = try localAddress(of: netlink)
    }
    expectFailure("getsockopt SO_TYPE: Socket type not supported") { () throws(SystemError) in
      _ = try kind(of: netlink)
    }
  }
}

/// Leaves a client in the queue: it is closed, but the connection stays until somebody accepts it.
func queueClient(of listener: borrowing OwnedFD) throws(SystemError) {
  let address = try localAddress(of: listener)
  let client = try connected(to: address)
  _ = client.raw
}

func expectFailure(
  _ text: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws(SystemError) -> Void
) {
  do throws(SystemError) {
    try body()
    Issue.record("nothing failed", sourceLocation: sourceLocation)
  } catch {
    #expect("\(error)".hasSuffix(text), sourceLocation: sourceLocation)
  }
}

func number(_ fd: borrowing OwnedFD, _ level: Int32, _ name: Int32) throws(SystemError) -> Int32 {
  try option(fd, level, name, initially: Int32(-1), named: "\(name)")
}

func flag(_ fd: borrowing OwnedFD, _ level: Int32, _ name: Int32) throws(SystemError) -> Bool {
  try number(fd, level, name) != 0
}
