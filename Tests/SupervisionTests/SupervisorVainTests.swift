import ControlProtocol
import Glibc
import Lifecycle
import Linux
import Testing

@testable import Supervision

@Suite("The supervisor of a guest that is started in vain")
struct SupervisorVainTests {
  @Test("After five failed starts the waiting client is refused, and so are those who come before the pause is over")
  func refused() throws {
    let world = try World()
    world.begin()
    world.backend.answer = .failure(StartFailure("no such root"))
    let client = try world.connect()
    for pause in [500, 1000, 2000, 4000] {
      #expect(!wasRefused(client.raw) && world.state.rest == .failed)
      world.advance(by: .milliseconds(pause))
    }
    #expect(world.pauses == [1, 2, 3, 4, 5] && world.state.isRefusing)
    world.loop.turn()
    #expect(wasRefused(client.raw))
    let late = try world.connect()
    #expect(wasRefused(late.raw) && world.backend.starts.count == 5)
    #expect(world.history.counters[.connectionsRefused] == 2)
    #expect(world.history.counters.lost == [LossCount(reason: .failed, count: 2)])
    #expect(
      world.supervisor.explanation.reasons == [
        "cannot start: no such root", "clients are refused until it is tried again",
      ])
    #expect(world.supervisor.summary.state == .failed)
  }

  @Test("A port at which clients were refused heals by itself: after the pause the next client starts the guest")
  func heals() throws {
    let world = try World()
    world.begin()
    world.backend.answer = .failure(StartFailure("no such root"))
    let client = try world.connect()
    for pause in [500, 1000, 2000, 4000] { world.advance(by: .milliseconds(pause)) }
    world.loop.turn()
    #expect(wasRefused(client.raw))
    // Nothing is started for nobody.
    world.advance(by: .seconds(8))
    #expect(world.state.isAsleep && world.supervisor.summary.state == .failed && world.backend.starts.count == 5)
    #expect(!world.supervisor.isAsleepForNow)
    world.backend.answer = .started
    let next = try world.connect()
    try world.instance.say("READY=1")
    #expect(try world.instance.serves())
    #expect(world.supervisor.summary.state == .active)
    withExtendedLifetime(next.raw) {}
  }

  @Test("A guest that accepts nobody is woken ever more seldom by clients that leave at once")
  func unaccepted() throws {
    let world = try World { $0.policy.idleStop = .seconds(2) }
    world.begin()
    // It runs, accepts nobody, and is stopped when it is idle: that again and again.
    for _ in 1...40 where !world.state.isRefusing {
      if world.state.isAsleep {
        let client = try world.connect()
        reset(client.raw)
      }
      if world.state.word == .activating { try world.instance.say("READY=1") }
      world.advance(by: .seconds(2))
      if world.state.isHalting { try world.instance.end(.exited(0)) }
      world.loop.turn()
    }
    #expect(world.pauses == [3, 4, 5] && world.backend.starts.count == 5)
    world.loop.turn()
    world.advance(by: .seconds(600))
    #expect(world.state.isAsleep && world.backend.starts.count == 5)
  }

  @Test(
    "A client that has left wakes a guest once and not again after a stop, and the next client does",
    arguments: Leaving.allCases)
  func left(how: Leaving) throws {
    let world = try World(path: true)
    world.begin()
    let place = how == .closingUnix ? 1 : 0
    do {
      let client = try world.connect(to: place)
      try retrying("send") { send(client.raw, "x", 1, 0) }
      if how == .reset { reset(client.raw) }
    }
    world.loop.turn()
    try world.instance.say("READY=1")
    for _ in 1...3 {
      world.sleep(now: true)
      for _ in 1...20 where !world.state.isHalting { world.advance(by: .seconds(5)) }
      try world.instance.end()
      world.loop.turn()
      world.advance(by: .seconds(600))
      #expect(world.state.isAsleep && world.supervisor.summary.state == .inactive)
      world.wake()
      try world.instance.say("READY=1")
    }
    let before = world.backend.starts.count
    #expect(before == 4)
    world.sleep(now: true)
    for _ in 1...20 where !world.state.isHalting { world.advance(by: .seconds(5)) }
    try world.instance.end()
    world.loop.turn()
    let next = try world.connect(to: place)
    #expect(world.backend.starts.count == before + 1)
    withExtendedLifetime(next.raw) {}
  }

  enum Leaving: CaseIterable { case closing, reset, closingUnix }

  @Test("A client that sends its request and a FIN while the guest halts is one for the next instance")
  func halfClosed() throws {
    let world = try World()
    try world.serve()
    world.sleep(now: true)
    for _ in 1...20 where !world.state.isHalting { world.advance(by: .seconds(5)) }
    let client = try world.connectQuietly()
    try retrying("send") { send(client.raw, "x", 1, 0) }
    try retrying("shutdown") { shutdown(client.raw, Int32(SHUT_WR)) }
    try world.instance.end()
    world.loop.turn()
    #expect(world.backend.starts.count == 2)
    try world.instance.say("READY=1")
    #expect(try world.instance.serves())
  }

  @Test("A guest that served its client is stopped when it is idle, and no failure is counted")
  func served() throws {
    let world = try World { $0.policy.idleStop = .seconds(2) }
    world.begin()
    for _ in 1...6 {
      let client = try world.connect()
      try world.instance.say("READY=1")
      #expect(try world.instance.serves())
      reset(client.raw)
      for _ in 1...10 where !world.state.isHalting { world.advance(by: .seconds(2)) }
      #expect(world.state.isHalting)
      try world.instance.end(.exited(0))
      world.loop.turn()
    }
    #expect(world.pauses.isEmpty && world.state.isAsleep)
  }

  @Test("A wake of a guest that is ready and took none of its sockets fails, although it runs")
  func nothingTaken() throws {
    let world = try World()
    world.backend.configure = { [unowned world] instance in
      for listener in world.supervisor.listeners.all { instance.close(listener.inode) }
    }
    world.begin()
    world.wake()
    try world.instance.say("READY=1")
    #expect(world.state.rest == .serving)
    guard case .failure(.wakeFailed(name: "web", _)) = world.replies.first else {
      Issue.record("\(world.replies)")
      return
    }
  }
}

/// Whether the peer has ended the connection, by whatever means.
private func wasRefused(_ client: Int32) -> Bool {
  var byte: UInt8 = 0
  let count = recv(client, &byte, 1, Int32(MSG_DONTWAIT))
  return count == 0 || count < 0 && errno != EAGAIN
}

/// Resets the connection.
private func reset(_ client: Int32) {
  // connect(2) with AF_UNSPEC does it, whoever has a copy of the descriptor.
  var nobody = sockaddr()
  nobody.sa_family = sa_family_t(AF_UNSPEC)
  connect(client, &nobody, socklen_t(MemoryLayout<sockaddr>.size))
}
