import Foundation
import Glibc
import Synchronization
import Testing

@testable import Linux

@Suite("The steering of a process that was killed")
struct SteeringTakeoverTests {
  @Test(
    "leads on while another takes its place, and somebody else's descriptor keeps no queue back"
  )
  func takenOver() throws {
    try inNetworkNamespace {
      let address = SocketAddress.ipv4(.loopback, port: 80)
      let guest = try openListener(.stream, address)
      let program = try ReuseportProgram()
      let stored = try openStandby(of: guest, backlog: 1000)
      do {
        let forgotten = try ReuseportSteering(primary: guest, standby: stored, steeringTo: .standby, program)
        let moved = forgotten.movesQueues
        #expect(moved)
      }
      let clients = Clients(of: address)
      for round in 0..<20 {
        #expect(try comesTrue { () throws(SystemError) in clients.count > round })
        let standby = try stored.duplicate()
        let steering = try ReuseportSteering(
          primary: guest, standby: standby, steeringTo: .standby, try ReuseportProgram())
        let moves = steering.movesQueues
        #expect(moves)
      }
      let count = clients.end()
      #expect(try queue(of: guest, reaches: 0))
      #expect(try queue(of: stored, reaches: count))
      let steering = try ReuseportSteering(
        primary: guest, standby: stored, steeringTo: .standby, try ReuseportProgram())
      try steering.steer(to: .primary, standby: stored)
      let another = try stored.duplicate()
      try shutDown(stored)
      #expect(try queue(of: guest, reaches: count))
      #expect(try !isListening(another))
    }
  }

  @Test(
    "is replaced also before a listener that was shut down, which gets its own when it listens again")
  func takenOverShutDown() throws {
    try inNetworkNamespace {
      let address = SocketAddress.ipv4(.loopback, port: 80)
      let guest = try openListener(.stream, address)
      let program = try ReuseportProgram()
      let standby = try openStandby(of: guest, backlog: 100)
      do { _ = try ReuseportSteering(primary: guest, standby: standby, steeringTo: .standby, program) }
      try shutDown(guest)
      var clients = [try Waiting(to: address)]
      let steering = try ReuseportSteering(
        primary: guest, standby: standby, steeringTo: .standby, try ReuseportProgram())
      let moves = steering.movesQueues
      #expect(moves)
      clients.append(try Waiting(to: address))
      #expect(try repairListener(guest, backlog: 100) == .repaired)
      try steering.rejoin(primary: guest)
      clients.append(try Waiting(to: address))
      #expect(try queue(of: standby, reaches: 3))
      try steering.steer(to: .primary, standby: standby)
      try shutDown(standby)
      clients.append(try Waiting(to: address))
      #expect(try queue(of: guest, reaches: 4))
      for client in clients { #expect(try client.isServed(by: guest)) }
    }
  }
}

/// Connects without pause, on a thread of its own in the same network namespace, until `end`.
private final class Clients: Sendable {
  private struct Progress {
    var count = 0
    var isOver = false
  }

  private let progress = Mutex(Progress())
  private let done = DispatchSemaphore(value: 0)

  init(of address: SocketAddress) {
    Thread.detachNewThread { [self] in
      var connections: [DescriptorList] = []
      while !progress.withLock(\.isOver), connections.count < 300 {
        guard let connection = try? connected(to: address) else { break }
        let list = DescriptorList()
        list.append(connection)
        connections.append(list)
        progress.withLock { $0.count += 1 }
      }
      done.signal()
      withExtendedLifetime(connections) {}
    }
  }

  var count: Int { progress.withLock(\.count) }

  /// - Returns: how many there were.
  func end() -> Int {
    progress.withLock { $0.isOver = true }
    done.wait()
    return count
  }
}
