import GuestSpec
import Lifecycle
import Linux
import Testing

@testable import Supervision

@Suite("The supervisor of a guest that shuts down by itself")
struct SupervisorSelfShutdownTests {
  private let world: World
  private let instance: FakeInstance

  init() throws {
    world = try World { $0.policy.timeoutStop = .seconds(20) }
    try world.serve()
    instance = try world.instance
    instance.say("X_SYSTEMD_UNIT_ACTIVE=timers.target")
    instance.say("X_SYSTEMD_UNIT_ACTIVE=sockets.target")
  }

  @Test("A guest that seems to shut down is quiesced while new clients are parked; it serves again when it does not")
  func aborted() throws {
    instance.say("X_SYSTEMD_UNIT_INACTIVE=timers.target")
    #expect(world.state.isShuttingDownByItself && world.captured.count(\.isSelfShutdown) == 1)
    #expect(instance.fakeFreezing?.calls == [.quiesce, .resume] && instance.signals.isEmpty)
    #expect(world.supervisor.live?.isDiverted == true)
    instance.say("X_SYSTEMD_UNIT_ACTIVE=timers.target")
    #expect(world.state.rest == .serving && world.captured.count(\.isShutdownAborted) == 1)
    #expect(world.supervisor.live?.isDiverted == false)
    let client = try world.connect()
    #expect(instance.serves())
    // It is watched for idleness again.
    world.sleep(now: true)
    #expect(world.state.word == .deactivating)
    withExtendedLifetime(client.raw) {}
  }

  @Test("A client who comes meanwhile is not the guest's, but the next instance's")
  func parked() throws {
    instance.say("X_SYSTEMD_SHUTDOWN=poweroff")
    let client = try world.connect()
    #expect(!instance.serves())
    instance.end()
    world.loop.turn()
    #expect(world.backend.starts.count == 2 && world.history.lastWake?.cause == .connection)
    let next = try world.instance
    next.say("READY=1")
    #expect(next.serves())
    withExtendedLifetime(client.raw) {}
  }

  @Test("A guest that only seems to shut down is not killed when nothing comes of it: it serves on")
  func nothingComesOfIt() {
    instance.say("X_SYSTEMD_UNIT_INACTIVE=timers.target")
    world.advance(by: .seconds(20))
    #expect(world.state.rest == .serving && instance.kills == 0)
  }

  @Test("A guest that seemed to shut down three times and did not is believed only when it says so for certain")
  func retracted() {
    for _ in 1...5 {
      instance.say("X_SYSTEMD_UNIT_INACTIVE=timers.target")
      instance.say("X_SYSTEMD_UNIT_ACTIVE=timers.target")
    }
    #expect(world.captured.count(\.isSelfShutdown) == 3 && world.captured.count(\.isShutdownAborted) == 3)
    #expect(world.state.rest == .serving)
    instance.say("X_SYSTEMD_UNIT_INACTIVE=timers.target")
    #expect(world.state.rest == .serving)
    instance.say("X_SYSTEMD_SHUTDOWN=poweroff")
    #expect(world.state.isShuttingDownByItself)
    // The next instance is another one.
    instance.end()
    world.wake()
    let next = try? world.instance
    next?.say("READY=1")
    next?.say("X_SYSTEMD_UNIT_INACTIVE=timers.target")
    #expect(world.state.isShuttingDownByItself)
  }

  @Test("A guest that seems to shut down and then does nothing is not believed the fourth time either")
  func silent() {
    for _ in 1...4 {
      instance.say("X_SYSTEMD_UNIT_INACTIVE=timers.target")
      world.advance(by: .seconds(20))
    }
    #expect(world.captured.count(\.isSelfShutdown) == 3)
  }

  @Test("A guest that says for certain that it shuts down is killed when it does not")
  func confirmed() {
    instance.say("X_SYSTEMD_UNIT_INACTIVE=timers.target")
    instance.say("X_SYSTEMD_SHUTDOWN=poweroff")
    instance.say("X_SYSTEMD_UNIT_ACTIVE=timers.target")
    #expect(world.state.isShuttingDownByItself)
    world.advance(by: .seconds(20))
    #expect(instance.kills == 1)
    instance.end(.killed(signal: 9))
    #expect(world.state.rest == .failed)
  }

  @Test("A guest that has powered itself off sleeps")
  func poweredOff() {
    instance.say("X_SYSTEMD_SHUTDOWN=poweroff")
    instance.end()
    #expect(world.state.isAsleep && world.pauses.isEmpty && world.history.lastStop?.cause == .shutdown)
  }

  @Test("A guest that seems to shut down before it was ready serves when it is ready after all")
  func beforeReady() throws {
    let world = try World()
    world.begin()
    world.wake()
    try world.instance.say("X_SYSTEMD_UNIT_INACTIVE=timers.target")
    #expect(world.state.isShuttingDownByItself && world.state.isBeforeReady)
    try world.instance.say("READY=1")
    #expect(world.state.rest == .serving && world.replies == [.done])
    #expect(world.history.lastWake?.readyMs != nil)
  }
}
