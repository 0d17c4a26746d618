import ControlProtocol
import GuestSpec
import Lifecycle
import Linux
import Listeners
import Testing

@testable import Supervision

@Suite("The supervisor of a guest that is started")
struct SupervisorStartTests {
  @Test("A connection starts an instance, which is handed every listener and serves the client")
  func connection() throws {
    let world = try World(path: true)
    world.begin()
    #expect(world.state.isAsleep && world.backend.starts.isEmpty)
    let client = try world.connect()
    #expect(world.backend.starts.map(\.listenerNames) == [["web.socket", "web.socket"]])
    let instance = try world.instance
    #expect(instance.inodes == world.supervisor.listeners.all.map(\.inode))
    #expect(world.state.word == .activating)
    instance.say("READY=1")
    #expect(world.state.rest == .serving)
    #expect(instance.serves())
    #expect(world.history.lastWake?.cause == .connection)
    #expect(world.history.lastWake?.socket == world.supervisor.listeners.all[0].address)
    #expect(world.history.counters[.handedOver] == 1)
    withExtendedLifetime(client.raw) {}
  }

  @Test("A client who comes while the guest starts, or serves, is the instance's: nothing else is started")
  func second() throws {
    let world = try World()
    world.begin()
    let first = try world.connect()
    let second = try world.connect()
    try world.instance.say("READY=1")
    let third = try world.connect()
    #expect(world.backend.starts.count == 1)
    for _ in 1...3 { #expect(try world.instance.serves()) }
    withExtendedLifetime((first.raw, second.raw, third.raw)) {}
  }

  @Test("A guest that does not send READY=1 is ready as soon as it has started")
  func noReadiness() throws {
    let world = try World { $0.exec.notifyReady = false }
    world.begin()
    world.wake()
    #expect(world.state.rest == .serving && world.replies == [.done])
  }

  @Test("A failed start is answered with the reason, and tried again for the client who waits after a growing pause")
  func failures() throws {
    let world = try World()
    world.begin()
    world.backend.answer = .failure(StartFailure("no such root"))
    let client = try world.connect()
    world.wake()
    #expect(world.backend.starts.count == 2 && world.pauses == [1, 1])
    #expect(world.replies == [.failure(.wakeFailed(name: "web", reason: "cannot start: no such root"))])
    // The client waits still.
    world.advance(by: .milliseconds(499))
    #expect(world.backend.starts.count == 2)
    world.advance(by: .milliseconds(1))
    #expect(world.backend.starts.count == 3 && world.pauses == [1, 1, 2])
    world.advance(by: .milliseconds(999))
    #expect(world.backend.starts.count == 3)
    world.advance(by: .milliseconds(1))
    #expect(world.pauses == [1, 1, 2, 3] && world.supervisor.pauseEnds != nil)
    world.backend.answer = .started
    world.advance(by: .seconds(2))
    try world.instance.say("READY=1")
    #expect(world.state.rest == .serving && world.supervisor.pauseEnds == nil)
    #expect(world.history.counters[.failedWakes] == 4)
    withExtendedLifetime(client.raw) {}
  }

  @Test("A guest that ends three times in a row without serving is started again only after a pause")
  func backoff() throws {
    let world = try World()
    world.begin()
    let client = try world.connect()
    for count in 1...3 {
      #expect(world.backend.starts.count == count)
      try world.instance.say("READY=1")
      try world.instance.end()
      world.loop.turn()
    }
    #expect(world.backend.starts.count == 3 && world.state.rest == .failed && world.pauses == [3])
    world.advance(by: .milliseconds(1999))
    #expect(world.backend.starts.count == 3)
    world.advance(by: .milliseconds(1))
    #expect(world.backend.starts.count == 4)
    withExtendedLifetime(client.raw) {}
  }

  @Test("A client who comes to such a guest after the quiet time starts it at once")
  func quiet() throws {
    let world = try World()
    world.begin()
    do {
      let client = try world.connect()
      for _ in 1...2 {
        try world.instance.say("READY=1")
        try world.instance.end()
        world.loop.turn()
      }
      try world.instance.say("READY=1")
      #expect(try world.instance.serves())
      withExtendedLifetime(client.raw) {}
    }
    try world.instance.end()
    world.loop.turn()
    #expect(world.state.isAsleep && world.backend.starts.count == 3)
    world.advance(by: .seconds(10))
    let client = try world.connect()
    #expect(world.backend.starts.count == 4 && world.pauses.isEmpty)
    withExtendedLifetime(client.raw) {}
  }

  @Test("A guest that served for long enough is forgiven what was before")
  func stable() throws {
    let world = try World()
    world.begin()
    for count in 1...5 {
      let client = try world.connect()
      #expect(world.backend.starts.count == count)
      try world.instance.say("READY=1")
      #expect(try world.instance.serves())
      world.advance(by: Backoff.stableAfter)
      try world.instance.end()
      world.loop.turn()
      withExtendedLifetime(client.raw) {}
    }
    #expect(world.pauses.isEmpty)
  }

  @Test("A guest that ran for long without accepting its client is forgiven nothing")
  func unserved() throws {
    let world = try World()
    world.begin()
    let client = try world.connect()
    for _ in 1...3 {
      try world.instance.say("READY=1")
      world.advance(by: Backoff.stableAfter)
      try world.instance.end()
      world.loop.turn()
    }
    #expect(world.pauses == [3])
    withExtendedLifetime(client.raw) {}
  }

  @Test("A guest that crashes is started again for the client who waits, after a pause")
  func crash() throws {
    let world = try World()
    try world.serve()
    let client = try world.connectQuietly()
    try world.instance.end(.exited(1))
    world.loop.turn()
    #expect(world.pauses == [1] && world.history.lastStop?.cause == .crash && world.history.counters[.crashes] == 1)
    world.advance(by: .milliseconds(500))
    #expect(world.backend.starts.count == 2)
    withExtendedLifetime(client.raw) {}
  }

  @Test("A guest that reboots is started again without a client")
  func reboot() throws {
    let world = try World()
    try world.serve()
    try world.instance.end(.killed(signal: 1))
    #expect(world.backend.starts.count == 2 && world.history.lastWake?.cause == .reboot && world.pauses.isEmpty)
  }

  @Test("A guest that is not ready within TimeoutStartSec= is told to halt, and paused after")
  func notReady() throws {
    let world = try World { $0.policy.timeoutStart = .seconds(10) }
    world.begin()
    world.wake()
    world.advance(by: .seconds(10))
    #expect(try world.instance.signals == [.realtime(3)] && world.state.haltCause == .startTimeout)
    #expect(try world.instance.kills == 0)
    try world.instance.end()
    #expect(world.state.rest == .failed && world.pauses == [1])
    #expect(world.replies.count == 1 && world.replies.first != .done)
    #expect(world.history.lastStop?.cause == .startTimeout)
  }

  @Test("A client who comes to the next instance finds that one in status, not the last")
  func status() throws {
    let world = try World()
    try world.serve()
    #expect(world.supervisor.status(console: false).pid == 4001)
    try world.instance.end()
    #expect(world.supervisor.status(console: false).pid == nil)
    world.wake()
    let status = world.supervisor.status(console: false)
    #expect(status.pid == 4002 && status.cgroup == "/dormouse/web.2" && status.wakes == 2)
  }

  @Test("A guest for which the service manager started this process is started at once, for whoever waits there")
  func atOnce() throws {
    let world = try World()
    world.begin()
    #expect(!world.supervisor.isAsleepForNow)
    let client = try world.connectQuietly()
    world.supervisor.wakeAtOnce()
    #expect(world.backend.starts.count == 1 && world.history.lastWake?.cause == .connection)
    #expect(world.history.lastWake?.socket == world.supervisor.listeners.all[0].address)
    try world.instance.say("READY=1")
    try world.instance.end()
    // He waits still: this process is not to end yet.
    #expect(world.state.isAsleep && !world.supervisor.isAsleepForNow)
    world.loop.turn()
    try world.instance.say("READY=1")
    #expect(try world.instance.serves())
    try world.instance.end()
    #expect(world.supervisor.isAsleepForNow)
    withExtendedLifetime(client.raw) {}
  }

  @Test("A guest whose file changes while it runs is started by the new file next time")
  func changed() throws {
    let world = try World()
    try world.serve()
    var loaded = world.supervisor.loaded
    loaded.guest.exec.hostname = "other"
    world.supervisor.change(to: loaded)
    #expect(world.supervisor.guest.exec.hostname == nil)
    try world.instance.end()
    world.wake()
    #expect(world.backend.starts.map(\.guest.exec.hostname) == [nil, "other"])
  }
}
