import CLinux
import Glibc
import Testing

@testable import Linux

@Suite("Reuseport steering")
struct ReuseportSteeringTests {
  @Test(
    "new clients reach the side that they are steered to, each time that it changes",
    arguments: StandbySocketTests.addresses)
  func steers(address: SocketAddress) throws {
    try inNetworkNamespace {
      let primary = try openListener(.stream, address)
      let program = try ReuseportProgram()
      let standby = try openStandby(of: primary, backlog: 100)
      let steering = try ReuseportSteering(primary: primary, standby: standby, steeringTo: .primary, program)
      var expected = (primary: 0, standby: 0)
      for turn in 0..<20 {
        let side: ReuseportSteering.Side = turn % 3 == 0 ? .standby : .primary
        try steering.steer(to: side, standby: standby)
        try queueClient(of: primary)
        switch side {
        case .primary: expected.primary += 1
        case .standby: expected.standby += 1
        }
        #expect(try queue(of: primary, reaches: expected.primary))
        #expect(try queue(of: standby, reaches: expected.standby))
      }
    }
  }

  @Test("the queue of a standby that is closed moves to the primary, with its data")
  func movesOnClose() throws {
    try inNetworkNamespace {
      let primary = try openListener(.stream, .ipv6(.any, port: 80, scope: 0))
      var clients: [Waiting] = []
      do {
        let program = try ReuseportProgram()
        let standby = try openStandby(of: primary, backlog: 100)
        let steering = try ReuseportSteering(primary: primary, standby: standby, steeringTo: .standby, program)
        let moves = steering.movesQueues
        #expect(moves)
        for _ in 0..<10 { clients.append(try Waiting(to: .ipv4(.loopback, port: 80))) }
        #expect(try queue(of: standby, reaches: 10))
        try steering.steer(to: .primary, standby: standby)
        #expect(try queue(of: primary, reaches: 0))
      }
      #expect(try queue(of: primary, reaches: clients.count))
      for client in clients { #expect(try client.isServed(by: primary)) }
      expectFailure("bind [::]:80: Address already in use") { () throws(SystemError) in
        _ = try openListener(.stream, .ipv6(.any, port: 80, scope: 0))
      }
    }
  }

  @Test(
    "the queue of a primary that is shut down moves to the standby with half-open connections, and new clients reach it again later"
  )
  func movesOnShutdown() throws {
    try inNetworkNamespace {
      var options = SocketOptions()
      options.deferAccept = .seconds(30)
      let primary = try openListener(.stream, .ipv4(.loopback, port: 80), options)
      let program = try ReuseportProgram()
      let standby = try openStandby(of: primary, backlog: 100)
      let steering = try ReuseportSteering(primary: primary, standby: standby, steeringTo: .primary, program)
      let clients = try (0..<5).map { _ in try Waiting(to: .ipv4(.loopback, port: 80)) }
      let halfOpen = try connected(to: .ipv4(.loopback, port: 80))
      try steering.steer(to: .standby, standby: standby)
      #expect(try queue(of: primary, reaches: clients.count))
      #expect(shutdown(primary.raw, Int32(SHUT_RD)) == 0)
      #expect(try queue(of: standby, reaches: clients.count))
      #expect(send(halfOpen.raw, "late", 4, 0) == 4)
      #expect(try queue(of: standby, reaches: clients.count + 1))
      #expect(try repairListener(primary, backlog: 100) == .repaired)
      try steering.rejoin(primary: primary)
      try steering.steer(to: .primary, standby: standby)
      try queueClient(of: standby)
      // Because accepting is deferred, the client is half-open at the primary.
      #expect(try queue(of: standby, reaches: clients.count + 1))
      for client in clients { #expect(try client.isServed(by: standby)) }
    }
  }

  @Test("a steering can be replaced again and again, also after its process was killed")
  func again() throws {
    try inNetworkNamespace {
      let primary = try openListener(.stream, .ipv4(.loopback, port: 80))
      for round in 1...20 {
        let program = try ReuseportProgram()
        let standby = try openStandby(of: primary, backlog: 100)
        do {
          // Like a killed process, this removes nothing.
          let forgotten = try ReuseportSteering(primary: primary, standby: standby, steeringTo: .primary, program)
          let moved = forgotten.movesQueues
          #expect(moved)
        }
        let steering = try ReuseportSteering(
          primary: primary, standby: standby, steeringTo: .standby, try ReuseportProgram())
        let moves = steering.movesQueues
        #expect(moves, "round \(round)")
        try queueClient(of: primary)
        #expect(try queue(of: standby, reaches: 1))
        #expect(try queue(of: primary, reaches: round - 1))
        try steering.steer(to: .primary, standby: standby)
        // This moves its queue. Closing it would do so only if no other test's child had a copy.
        try shutDown(standby)
      }
    }
  }

  @Test(
    "a client that was half-open at a standby that is gone completes its handshake at the primary")
  func halfOpen() throws {
    try inNetworkNamespace {
      var options = SocketOptions()
      options.deferAccept = .seconds(30)
      let address = SocketAddress.ipv4(.loopback, port: 80)
      let primary = try openListener(.stream, address, options)
      let program = try ReuseportProgram()
      let client: OwnedFD
      do {
        let standby = try openStandby(of: primary, backlog: 100)
        let steering = try ReuseportSteering(primary: primary, standby: standby, steeringTo: .standby, program)
        client = try connected(to: address)
        try steering.steer(to: .primary, standby: standby)
        try shutDown(standby)
      }
      #expect(send(client.raw, "x", 1, 0) == 1)
      #expect(try queue(of: primary, reaches: 1))
    }
  }

  @Test("without CAP_BPF a classic program steers new clients, and queues do not move")
  func withoutCapability() throws {
    try inNetworkNamespace {
      let primary = try openListener(.stream, .ipv4(.loopback, port: 80))
      let standby = try openStandby(of: primary, backlog: 100)
      let report = try withoutEffectiveCapabilities { () throws(SystemError) in
        let program = try ReuseportProgram()
        let steering = try ReuseportSteering(primary: primary, standby: standby, steeringTo: .standby, program)
        try queueClient(of: primary)
        try steering.steer(to: .primary, standby: standby)
        try queueClient(of: primary)
        expectFailure("Operation not supported") { () throws(SystemError) in try steering.rejoin(primary: primary) }
        return steering.movesQueues
      }
      #expect(!report)
      #expect(try queue(of: primary, reaches: 1))
      #expect(try queue(of: standby, reaches: 1))
    }
  }

  @Test(
    "new datagrams reach the side that they are steered to, and queued ones stay where they are",
    arguments: StandbySocketTests.addresses)
  func datagrams(address: SocketAddress) throws {
    try inNetworkNamespace {
      let primary = try openListener(.datagram, address)
      let program = try ReuseportProgram()
      let standby = try openStandby(of: primary, backlog: 0)
      let steering = try ReuseportSteering(primary: primary, standby: standby, steeringTo: .standby, program)
      let client = try connected(.datagram, to: address)
      let moves = steering.movesQueues
      #expect(!moves)
      try sendDatagram("x", by: client, to: standby)
      #expect(try !hasInput(primary))
      try steering.steer(to: .primary, standby: standby)
      try sendDatagram("x", by: client, to: primary)
    }
  }
}

/// A client that has connected and sent a byte.
final class Waiting {
  private let client: OwnedFD

  init(to address: SocketAddress) throws(SystemError) {
    client = try connected(to: address)
    let raw = client.raw
    try retrying("send") { send(raw, "x", 1, 0) }
  }

  /// Accepts the next client of `listener`, which must be this one, and replies to it.
  func isServed(by listener: borrowing OwnedFD) throws(SystemError) -> Bool {
    let server = try acceptNext(listener)
    var bytes: [UInt8] = [0, 0]
    guard recv(server.raw, &bytes, 1, 0) == 1, send(server.raw, "y", 1, 0) == 1 else { return false }
    try waitForInput(client)
    return recv(client.raw, &bytes[1], 1, 0) == 1 && bytes == Array("xy".utf8)
  }
}

/// Runs `body` without effective capabilities, which each thread has its own.
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
