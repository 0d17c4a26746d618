import GuestSpec
import Lifecycle
import Linux
import Listeners
import Testing

@testable import Supervision

@Suite("The supervisor of a guest that does not have its listeners open")
struct SupervisorListenerTests {
  @Test("A guest that closed a listener at which a client waits is ended, and paused; the next instance serves him")
  func closed() throws {
    let world = try World(path: true)
    try world.serve()
    let listener = world.supervisor.listeners.all[0]
    #expect(listener.isAdopted == true)
    try world.instance.close(listener.inode)
    // Nobody waits there, so that is no reason to end it.
    world.advance(by: .seconds(30))
    #expect(world.state.rest == .serving)
    let client = try world.connect()
    world.advance(by: .seconds(31))
    #expect(world.captured.count(\.isListenerClosed) == 1 && world.state.haltCause == .listenerClosed)
    #expect(try world.instance.signals == [.realtime(3)])
    try world.instance.end()
    #expect(world.state.rest == .failed && world.pauses == [1] && world.history.lastStop?.cause == .listenerClosed)
    world.advance(by: .milliseconds(500))
    #expect(world.backend.starts.count == 2)
    try world.instance.say("READY=1")
    #expect(try world.instance.serves())
    withExtendedLifetime(client.raw) {}
  }

  @Test("A client who waits at a listener that the guest has open is no reason to end it, however long")
  func waiting() throws {
    let world = try World()
    try world.serve()
    let client = try world.connect()
    for _ in 1...120 { world.advance(by: .seconds(1)) }
    #expect(world.state.rest == .serving && world.captured.count(\.isListenerClosed) == 0)
    withExtendedLifetime(client.raw) {}
  }

  @Test("Where it is not known which listeners the guest has open it is not ended")
  func unknown() throws {
    let world = try World()
    try world.serve()
    try world.instance.close(world.supervisor.listeners.all[0].inode)
    try world.instance.isScanned = false
    let client = try world.connect()
    for _ in 1...120 { world.advance(by: .seconds(1)) }
    #expect(world.state.rest == .serving)
    withExtendedLifetime(client.raw) {}
  }

  @Test("Clients of a listener that the guest never took are refused, and do not count as its users")
  func notAdopted() throws {
    let world = try World(path: true)
    world.begin()
    world.wake()
    try world.instance.close(world.supervisor.listeners.all[0].inode)
    try world.instance.say("READY=1")
    #expect(world.captured.count(\.isNotAdopted) == 1)
    #expect(world.supervisor.listeners.all.map(\.isAdopted) == [false, true])
    let client = try world.connect()
    #expect(world.history.counters[.connectionsRefused] == 1)
    let served = try world.connect(to: 1)
    #expect(try world.instance.serves(at: 1))
    #expect(world.history.counters[.connectionsRefused] == 1 && world.state.rest == .serving)
    withExtendedLifetime((client.raw, served.raw)) {}
  }

  @Test("Where clients are refused, one who waits for the next instance does not keep the loop busy")
  func refusedAndParked() throws {
    let world = try World(path: true)
    try world.serve()
    let queued = try world.connect(to: 1)
    world.sleep(now: true)
    let parked = try world.connect(to: 1)
    world.advance(by: .seconds(3))
    try world.instance.end()
    world.loop.turn()
    #expect(world.backend.starts.count == 2)
    try world.instance.close(world.supervisor.listeners.all[1].inode)
    try world.instance.say("READY=1")
    // The turn records an issue when the loop does not come to rest.
    world.loop.turn()
    #expect(world.supervisor.listeners.awaited != nil)
    withExtendedLifetime((queued.raw, parked.raw)) {}
  }

  @Test("A guest that cannot be bound, nor be tried again later for want of timers, leaves the loop to the others")
  func bindsWithoutTimers() throws {
    let other = try World()
    other.begin()
    let world = try World { $0.sockets = other.supervisor.guest.sockets }
    world.timers.failure = SystemError("timer", errno: 12)
    world.begin()
    #expect(world.state.rest == .failed)
    other.supervisor.release(because: .configuration)
    world.loop.turn()
    #expect(world.state.isAsleep)
  }
}
