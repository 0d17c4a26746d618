import Foundation
import Glibc
import Synchronization
import Testing

@testable import Linux

@Suite("Steering of a killed process")
struct SteeringTakeoverTests {
  @Test(
    "the steering of a killed process works until it is replaced, and a queue moves although others hold the standby"
  )
  func takenOver() throws {
    try inNetworkNamespace {
      let address = SocketAddress.ipv4(.loopback, port: 80)
      let primary = try openListener(.stream, address)
      let program = try ReuseportProgram()
      let stored = try openStandby(of: primary, backlog: 1000)
      do {
        let forgotten = try ReuseportSteering(primary: primary, standby: stored, steeringTo: .standby, program)
        let moved = forgotten.movesQueues
        #expect(moved)
      }
      let clients = Clients(of: address)
      for round in 0..<20 {
        #expect(try comesTrue { () throws(SystemError) in clients.count > round })
        let standby = try stored.duplicate()
        let steering = try ReuseportSteering(
          primary: primary, standby: standby, steeringTo: .standby, try ReuseportProgram())
        let moves = steering.movesQueues
        #expect(moves)
      }
      let count = clients.end()
      #expect(try queue(of: primary, reaches: 0))
      #expect(try queue(of: stored, reaches: count))
      let steering = try ReuseportSteering(
        primary: primary, standby: stored, steeringTo: .standby, try ReuseportProgram())
      try steering.steer(to: .primary, standby: stored)
      let another = try stored.duplicate()
      try shutDown(stored)
      #expect(try queue(of: primary, reaches: count))
      #expect(try !isListening(another))
    }
  }

  @Test(
    "the steering of a killed process is replaced while the primary is shut down, and the primary rejoins once it listens again"
  )
  func takenOverShutDown() throws {
    try inNetworkNamespace {
      let address = SocketAddress.ipv4(.loopback, port: 80)
      let primary = try openListener(.stream, address)
      let program = try ReuseportProgram()
      let standby = try openStandby(of: primary, backlog: 100)
      do { _ = try ReuseportSteering(primary: primary, standby: standby, steeringTo: .standby, program) }
      try shutDown(primary)
      var clients = [try Waiting(to: address)]
      let steering = try ReuseportSteering(
        primary: primary, standby: standby, steeringTo: .standby, try ReuseportProgram())
      let moves = steering.movesQueues
      #expect(moves)
      clients.append(try Waiting(to: address))
      #expect(try repairListener(primary, backlog: 100) == .repaired)
      try steering.rejoin(primary: primary)
      clients.append(try Waiting(to: address))
      #expect(try queue(of: standby, reaches: 3))
      try steering.steer(to: .primary, standby: standby)
      try shutDown(standby)
      clients.append(try Waiting(to: address))
      #expect(try queue(of: primary, reaches: 4))
      for client in clients { #expect(try client.isServed(by: primary)) }
    }
  }
}

/// Connects again and again until `end`, on a thread of its own in the same network namespace.
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
