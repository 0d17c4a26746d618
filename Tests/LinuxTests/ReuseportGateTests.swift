import CLinux
import Glibc
import Testing

@testable import Linux

@Suite("Two sockets at one address")
struct SocketTwinTests {
  static let addresses = [
    SocketAddress.ipv4(.loopback, port: 80), .ipv4(.any, port: 80), .ipv6(.loopback, port: 80, scope: 0),
    .ipv6(.any, port: 80, scope: 0),
  ]

  @Test("a second one joins a listener that knew nothing of it", arguments: addresses)
  func joins(address: SocketAddress) throws {
    try inNetworkNamespace {
      let first = try openListener(.stream, address)
      let second = try openTwin(of: first, backlog: 1)
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
      let second = try openTwin(of: first, backlog: 3)
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
      let second = try openTwin(of: first, backlog: 10)
      #expect(try isListening(second))
    }
  }

  @Test("where there can be none, that is said")
  func refused() throws {
    try inNetworkNamespace {
      let unix = try openListener(.stream, .abstract("x"))
      expectFailure("second socket for @x: Operation not supported") { () throws(SystemError) in
        _ = try openTwin(of: unix, backlog: 1)
      }
      let listener = try openListener(.stream, .ipv4(.loopback, port: 80))
      #expect(shutdown(listener.raw, Int32(SHUT_RD)) == 0)
      expectFailure("getsockopt TCP_INFO: Invalid argument") { () throws(SystemError) in
        _ = try openTwin(of: listener, backlog: 1)
      }
      #expect(try !flag(listener, SOL_SOCKET, SO_REUSEPORT))
    }
  }
}

@Suite("The gate before two listeners")
struct ReuseportGateTests {
  @Test("leads where it is told, at each turn", arguments: SocketTwinTests.addresses)
  func leads(address: SocketAddress) throws {
    try inNetworkNamespace {
      let guest = try openListener(.stream, address)
      let program = try ReuseportProgram()
      let parking = try openTwin(of: guest, backlog: 100)
      let gate = try ReuseportGate(guest: guest, parking: parking, leadingTo: .guest, program)
      var expected = (guest: 0, parking: 0)
      for turn in 0..<20 {
        let side: ReuseportGate.Side = turn % 3 == 0 ? .parking : .guest
        try gate.lead(to: side, parking: parking)
        try queueClient(of: guest)
        switch side {
        case .guest: expected.guest += 1
        case .parking: expected.parking += 1
        }
        #expect(try queue(of: guest, reaches: expected.guest))
        #expect(try queue(of: parking, reaches: expected.parking))
      }
    }
  }

  @Test("what is queued at the parking one moves to the guest's when that is closed, with its data")
  func movesOnClose() throws {
    try inNetworkNamespace {
      let guest = try openListener(.stream, .ipv6(.any, port: 80, scope: 0))
      var clients: [Waiting] = []
      do {
        let program = try ReuseportProgram()
        let parking = try openTwin(of: guest, backlog: 100)
        let gate = try ReuseportGate(guest: guest, parking: parking, leadingTo: .parking, program)
        let moves = gate.movesQueues
        #expect(moves)
        for _ in 0..<10 { clients.append(try Waiting(to: .ipv4(.loopback, port: 80))) }
        #expect(try queue(of: parking, reaches: 10))
        try gate.lead(to: .guest, parking: parking)
        #expect(try queue(of: guest, reaches: 0))
      }
      #expect(try queue(of: guest, reaches: clients.count))
      for client in clients { #expect(try client.isServed(by: guest)) }
      try ReuseportGate.takeOff(guest)
      expectFailure("bind [::]:80: Address already in use") { () throws(SystemError) in
        _ = try openListener(.stream, .ipv6(.any, port: 80, scope: 0))
      }
    }
  }

  @Test("what is queued at the guest's moves to the parking one when that is shut down, half-open ones too; and back")
  func movesOnShutdown() throws {
    try inNetworkNamespace {
      var options = SocketOptions()
      options.deferAccept = .seconds(30)
      let guest = try openListener(.stream, .ipv4(.loopback, port: 80), options)
      let program = try ReuseportProgram()
      let parking = try openTwin(of: guest, backlog: 100)
      let gate = try ReuseportGate(guest: guest, parking: parking, leadingTo: .guest, program)
      let clients = try (0..<5).map { _ in try Waiting(to: .ipv4(.loopback, port: 80)) }
      let halfOpen = try connected(to: .ipv4(.loopback, port: 80))
      try gate.lead(to: .parking, parking: parking)
      #expect(try queue(of: guest, reaches: clients.count))
      #expect(shutdown(guest.raw, Int32(SHUT_RD)) == 0)
      #expect(try queue(of: parking, reaches: clients.count))
      #expect(send(halfOpen.raw, "late", 4, 0) == 4)
      #expect(try queue(of: parking, reaches: clients.count + 1))
      #expect(try repairListener(guest, backlog: 100) == .repaired)
      try gate.restore(guest: guest)
      try gate.lead(to: .guest, parking: parking)
      try queueClient(of: parking)
      // Deferred: it is half-open, at the guest's.
      #expect(try queue(of: parking, reaches: clients.count + 1))
      for client in clients { #expect(try client.isServed(by: parking)) }
    }
  }

  @Test("may be put there again and again, also over one of a process that was killed")
  func again() throws {
    try inNetworkNamespace {
      let guest = try openListener(.stream, .ipv4(.loopback, port: 80))
      for round in 1...20 {
        let program = try ReuseportProgram()
        let parking = try openTwin(of: guest, backlog: 100)
        do {
          // Forgotten as a killed process forgets it: nothing is taken off.
          let forgotten = try ReuseportGate(guest: guest, parking: parking, leadingTo: .guest, program)
          let moved = forgotten.movesQueues
          #expect(moved)
        }
        let gate = try ReuseportGate(guest: guest, parking: parking, leadingTo: .parking, try ReuseportProgram())
        let moves = gate.movesQueues
        #expect(moves, "round \(round)")
        try queueClient(of: guest)
        #expect(try queue(of: parking, reaches: 1))
        #expect(try queue(of: guest, reaches: round - 1))
        try gate.lead(to: .guest, parking: parking)
      }
    }
  }

  @Test("without the right to load a program it is a simpler one, which moves no queue")
  func withoutCapability() throws {
    try inNetworkNamespace {
      let guest = try openListener(.stream, .ipv4(.loopback, port: 80))
      let parking = try openTwin(of: guest, backlog: 100)
      let report = try withoutEffectiveCapabilities { () throws(SystemError) in
        let program = try ReuseportProgram()
        let gate = try ReuseportGate(guest: guest, parking: parking, leadingTo: .parking, program)
        try queueClient(of: guest)
        try gate.lead(to: .guest, parking: parking)
        try queueClient(of: guest)
        expectFailure("Operation not supported") { () throws(SystemError) in try gate.restore(guest: guest) }
        return gate.movesQueues
      }
      #expect(!report)
      #expect(try queue(of: guest, reaches: 1))
      #expect(try queue(of: parking, reaches: 1))
    }
  }

  @Test("datagrams go where it leads; those that wait stay where they are", arguments: SocketTwinTests.addresses)
  func datagrams(address: SocketAddress) throws {
    try inNetworkNamespace {
      let guest = try openListener(.datagram, address)
      let program = try ReuseportProgram()
      let parking = try openTwin(of: guest, backlog: 0)
      let gate = try ReuseportGate(guest: guest, parking: parking, leadingTo: .parking, program)
      let client = try connected(.datagram, to: address)
      let moves = gate.movesQueues
      #expect(!moves)
      #expect(send(client.raw, "x", 1, 0) == 1)
      #expect(try hasInput(parking))
      #expect(try !hasInput(guest))
      try gate.lead(to: .guest, parking: parking)
      #expect(send(client.raw, "x", 1, 0) == 1)
      #expect(try hasInput(guest))
    }
  }
}

/// A client that has connected and sent a byte.
private final class Waiting {
  private let client: OwnedFD

  init(to address: SocketAddress) throws(SystemError) {
    client = try connected(to: address)
    let raw = client.raw
    try retrying("send") { send(raw, "x", 1, 0) }
  }

  /// Accepts the next of `listener`, which has to be this one, and answers it.
  func isServed(by listener: borrowing OwnedFD) throws(SystemError) -> Bool {
    let server = try acceptNext(listener)
    var bytes: [UInt8] = [0, 0]
    guard recv(server.raw, &bytes, 1, 0) == 1, send(server.raw, "y", 1, 0) == 1 else { return false }
    try waitForInput(client)
    return recv(client.raw, &bytes[1], 1, 0) == 1 && bytes == Array("xy".utf8)
  }
}

/// Runs `body` on this thread without any effective capability, which are a thread's own.
private func withoutEffectiveCapabilities<Result>(
  _ body: () throws(SystemError) -> Result
) throws(SystemError) -> Result {
  let before = try capabilities()
  var none = before
  none[0] = 0
  none[3] = 0
  try setCapabilities(none)
  defer { try? setCapabilities(before) }
  return try body()
}

/// struct __user_cap_data_struct twice: effective, permitted, inheritable.
private func capabilities() throws(SystemError) -> [UInt32] {
  var header: (version: UInt32, pid: Int32) = (0x2008_0522, 0)
  var data = [UInt32](repeating: 0, count: 6)
  try retrying("capget") { capget(&header, &data) }
  return data
}

private func setCapabilities(_ data: [UInt32]) throws(SystemError) {
  var header: (version: UInt32, pid: Int32) = (0x2008_0522, 0)
  try retrying("capset") { capset(&header, data) }
}
