import ControlProtocol
import GuestSpec
import Lifecycle
import Linux
import Testing

@testable import Supervision

@Suite("The supervisor of a guest whose start answers later")
struct SupervisorLaunchTests {
  private let world: World

  init() throws {
    world = try World { $0.policy.timeoutStart = .seconds(10) }
    world.backend.answer = .later
    world.begin()
  }

  @Test("It serves once it has started and is ready")
  func later() throws {
    world.wake()
    #expect(world.state.word == .activating && !world.state.isRunning)
    try world.instance.report(.started)
    #expect(world.state.isRunning && world.replies.isEmpty)
    try world.instance.say("READY=1")
    #expect(world.replies == [.done])
  }

  @Test("A start that turns out to fail is paused after, like one that fails at once")
  func failsLater() throws {
    let client = try world.connect()
    weak let live = world.supervisor.live
    try world.instance.report(.startFailed(StartFailure("no such program")))
    #expect(world.state.rest == .failed && world.pauses == [1] && live == nil)
    #expect(world.supervisor.lastFailure == "cannot start: no such program")
    world.advance(by: .milliseconds(500))
    #expect(world.backend.starts.count == 2)
    withExtendedLifetime(client.raw) {}
  }

  @Test("A start whose deadline passes is killed, and paused after", arguments: [true, false])
  func deadline(exists: Bool) throws {
    world.wake()
    world.advance(by: .milliseconds(9999))
    #expect(try world.instance.kills == 0)
    world.advance(by: .milliseconds(1))
    #expect(try world.instance.kills == 1 && world.captured.count(\.isKilling) == 1)
    if exists {
      try world.instance.end(.killed(signal: 9))
    } else {
      try world.instance.report(.startFailed(StartFailure("killed")))
    }
    #expect(world.state.rest == .failed && world.pauses == [1] && world.replies.count == 1)
    world.advance(by: .milliseconds(500))
    #expect(world.state.isAsleep)
  }

  @Test("An instance that is not watched yet when its deadline passes is killed all the same")
  func deadlineBeforeWatch() throws {
    world.backend.answer = .unwatched
    world.wake()
    world.advance(by: .seconds(10))
    #expect(try world.instance.kills == 1)
    try world.instance.report(.startFailed(StartFailure("killed")))
    #expect(world.state.rest == .failed && world.pauses == [1])
  }

  @Test("An instance that is watched only when it is executed serves like any other")
  func executedLater() throws {
    world.backend.answer = .unwatched
    world.wake()
    try world.instance.execute()
    try world.instance.report(.started)
    try world.instance.say("READY=1")
    #expect(world.replies == [.done])
    #expect(try world.instance.inodes == world.supervisor.listeners.all.map(\.inode))
  }

  @Test("Told to sleep meanwhile, it is told to halt as soon as it has started")
  func sleep() throws {
    world.wake()
    world.sleep()
    #expect(try world.instance.signals.isEmpty)
    try world.instance.report(.started)
    #expect(try world.instance.signals == [.realtime(3)] && world.state.haltCause == .request)
    try world.instance.end()
    #expect(world.state.isAsleep && world.pauses.isEmpty)
    #expect(world.replies.contains(.done) && world.replies.count == 2)
  }

  @Test("Told to sleep and woken again meanwhile, it serves, and whoever wanted it to sleep is told so")
  func wokenAgain() throws {
    world.sleep()
    world.wake()
    world.sleep()
    world.wake()
    try world.instance.report(.started)
    try world.instance.say("READY=1")
    #expect(world.state.rest == .serving)
    #expect(
      world.replies == [.done, .done, .done, .failure(.sleepFailed(name: "web", reason: "it was started again"))])
  }

  @Test("Told to sleep meanwhile, it is asleep when the start fails, and nobody pauses for that")
  func sleepAndFail() throws {
    world.wake()
    world.sleep()
    try world.instance.report(.startFailed(StartFailure("no such program")))
    #expect(world.state.isAsleep && world.pauses.isEmpty)
  }

  @Test("Given up for good meanwhile, it is told to halt as soon as it has started, and its listeners are closed after")
  func release() throws {
    world.wake()
    world.supervisor.release(because: .daemon)
    #expect(world.state.isReleasing && !world.state.isUnbound)
    try world.instance.report(.started)
    #expect(try world.instance.signals == [.realtime(3)])
    try world.instance.end()
    #expect(world.state.isUnbound && world.supervisor.listeners.all.isEmpty)
  }

  @Test("Given up for good meanwhile, it is forgotten also when its start takes too long or somebody asks it to sleep")
  func releaseAndTimeout() throws {
    world.wake()
    world.supervisor.release(because: .daemon)
    world.sleep(now: true)
    world.advance(by: .seconds(10))
    #expect(try world.instance.kills == 1 && world.state.isReleasing)
    try world.instance.report(.startFailed(StartFailure("killed")))
    #expect(world.state.isUnbound && world.pauses.isEmpty)
  }

  @Test("A daemon that is told twice to end kills what has not started yet")
  func killed() throws {
    world.wake()
    world.supervisor.killIfStopping()
    #expect(try world.instance.kills == 0)
    world.supervisor.release(because: .daemon)
    world.supervisor.killIfStopping()
    #expect(try world.instance.kills == 1)
    try world.instance.end(.killed(signal: 9))
    #expect(world.state.isUnbound)
  }

  @Test("Without a timer for its deadline the start counts as out of time")
  func noTimer() throws {
    world.timers.failure = SystemError("timer", errno: 12)
    world.supervisor.handle(.wakeRequested)
    #expect(world.captured.count(\.isNoTimer) == 1)
    #expect(try world.instance.kills == 1)
    world.timers.failure = nil
    try world.instance.end(.killed(signal: 9))
    #expect(world.state.rest == .failed && world.pauses == [1])
  }

  @Test("What an effect answers is handled before what happened while the effects were carried out")
  func answersFirst() throws {
    world.backend.answer = .started
    world.timers.failure = SystemError("timer", errno: 12)
    world.supervisor.handle(.wakeRequested)
    // It was out of time before it had started, and later, as it was told to halt, once more.
    let order = world.captured.entries.map(\.message).filter { $0.isKilling || $0.isHaltRequested }
    #expect(order.map(\.isKilling) == [true, false, true])
    #expect(try world.instance.kills == 2)
    world.timers.failure = nil
    try world.instance.end(.killed(signal: 9))
    #expect(world.state.rest == .failed)
  }

  @Test("An instance that cannot be watched is no start")
  func unwatchable() throws {
    world.backend.configure = { $0.watchFailure = SystemError("epoll_ctl", errno: 12) }
    world.wake()
    #expect(world.state.rest == .failed && world.supervisor.live == nil)
    #expect(world.replies.count == 1 && world.replies.first != .done)
  }
}
