import CLinux
import Glibc
import Testing

@testable import Linux

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
        // Its queue moves by this; by its closing only when no other test's child has a copy.
        try shutDown(parking)
      }
    }
  }

  @Test(
    "leads those whose handshake ends later to the guest's, when gate and parking one are gone")
  func halfOpen() throws {
    try inNetworkNamespace {
      var options = SocketOptions()
      options.deferAccept = .seconds(30)
      let address = SocketAddress.ipv4(.loopback, port: 80)
      let guest = try openListener(.stream, address, options)
      let program = try ReuseportProgram()
      let client: OwnedFD
      do {
        let parking = try openTwin(of: guest, backlog: 100)
        let gate = try ReuseportGate(guest: guest, parking: parking, leadingTo: .parking, program)
        client = try connected(to: address)
        try gate.lead(to: .guest, parking: parking)
        try shutDown(parking)
      }
      #expect(send(client.raw, "x", 1, 0) == 1)
      #expect(try queue(of: guest, reaches: 1))
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
      try sendDatagram("x", by: client, to: parking)
      #expect(try !hasInput(guest))
      try gate.lead(to: .guest, parking: parking)
      try sendDatagram("x", by: client, to: guest)
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
