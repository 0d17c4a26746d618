import ControlProtocol
import GuestSpec
import Lifecycle
import Linux
import Testing

@testable import Supervision

@Suite("The supervisor of a guest that is to stop")
struct SupervisorStopTests {
  @Test("A client who comes at the last moment cancels the stop of an idle guest, which serves him", arguments: [0, 1])
  func cancelled(place: Int) throws {
    let world = try World(path: true)
    try world.serve()
    var client: Int32 = -1
    world.captured.interrupt = { message in
      // Between the scan that found nobody and the one that decides.
      if message.isIdle { client = (try? world.connectQuietly(to: place).release()) ?? -1 }
    }
    world.advance(by: .seconds(60))
    let descriptor = OwnedFD(owning: try #require(client >= 0 ? client : nil))
    #expect(world.state.rest == .serving && world.captured.count(\.isStopCancelled) == 1)
    #expect(try world.instance.signals.isEmpty && world.supervisor.live?.isDiverted == false)
    #expect(try world.instance.serves(at: place))
    // Nobody has noticed anything: the next client comes to the guest too.
    let next = try world.connect(to: place)
    #expect(try world.instance.serves(at: place))
    world.captured.interrupt = { _ in }
    withExtendedLifetime((descriptor.raw, next.raw)) {}
  }

  @Test("A guest in use is not stopped by request, and whoever asked is told who uses it")
  func inUse() throws {
    let world = try World()
    try world.serve()
    let client = try world.connect()
    let connection = try world.instance.accept()
    world.sleep()
    #expect(world.state.rest == .serving)
    guard case .failure(.sleepFailed(_, let reason)) = try #require(world.replies.last) else {
      Issue.record("\(world.replies)")
      return
    }
    #expect(reason.contains("127."))
    withExtendedLifetime((client.raw, connection.raw)) {}
  }

  @Test("A guest that nobody uses is stopped by request, and whoever asked is answered when it is gone")
  func unused() throws {
    let world = try World()
    try world.serve()
    world.sleep()
    #expect(try world.instance.signals == [.realtime(3)] && world.replies == [.done])
    // Clients wait for the next instance.
    let client = try world.connect()
    #expect(try !world.instance.serves())
    try world.instance.end()
    #expect(world.replies == [.done, .done])
    world.loop.turn()
    try world.instance.say("READY=1")
    #expect(world.backend.starts.count == 2)
    #expect(try world.instance.serves())
    #expect(world.history.counters[.parked] == 1)
    withExtendedLifetime(client.raw) {}
  }

  @Test("Without timers a guest that has to stop is told so at once, although it is used")
  func noTimers() throws {
    let world = try World()
    try world.serve()
    let client = try world.connect()
    let connection = try world.instance.accept()
    world.timers.failure = SystemError("timer", errno: 12)
    world.sleep(now: true)
    #expect(try world.instance.signals == [.realtime(3)])
    withExtendedLifetime((client.raw, connection.raw)) {}
  }

  @Test("A guest whose PID 1 has no handler for its signal is killed at once, for it would never halt")
  func unheard() throws {
    let world = try World()
    try world.serve()
    try world.instance.hearsSignals = false
    world.sleep(now: true)
    #expect(try world.instance.signals == [.realtime(3)] && world.instance.kills == 1)
    try world.instance.end(.killed(signal: 9))
    #expect(world.state.isAsleep && world.replies.last == .done && world.history.lastStop?.killed == true)
  }

  @Test("A guest that has to stop is not told so before its clients have finished")
  func drain() throws {
    let world = try World()
    try world.serve()
    do {
      let client = try world.connect()
      let connection = try world.instance.accept()
      world.sleep(now: true)
      for _ in 1...50 { world.advance(by: .milliseconds(10)) }
      #expect(try world.instance.signals.isEmpty && world.state.word == .deactivating)
      withExtendedLifetime((client.raw, connection.raw)) {}
    }
    let end = ContinuousClock.now + .seconds(10)
    while try world.instance.signals.isEmpty, ContinuousClock.now < end { world.advance(by: .milliseconds(10)) }
    #expect(try world.instance.signals == [.realtime(3)])
  }

  @Test("A guest whose scope somebody stops is told to halt, and sleeps after; its next client wakes it")
  func scopeStops() throws {
    let world = try World()
    try world.serve()
    try world.instance.report(.stopRequested)
    #expect(try world.instance.signals == [.realtime(3)])
    try world.instance.end()
    #expect(world.state.isAsleep && world.pauses.isEmpty)
    #expect(world.captured.count { if case .scopeStops = $0 { true } else { false } } == 1)
  }

  @Test("Clients that do not finish are waited for two seconds, no longer")
  func drainTimesOut() throws {
    let world = try World()
    try world.serve()
    let client = try world.connect()
    let connection = try world.instance.accept()
    world.sleep(now: true)
    world.advance(by: .milliseconds(1999))
    #expect(try world.instance.signals.isEmpty)
    world.advance(by: .milliseconds(1))
    #expect(try world.instance.signals == [.realtime(3)])
    withExtendedLifetime((client.raw, connection.raw)) {}
  }

  @Test("A guest that does not stop within TimeoutStopSec= is killed once, and sleeps after")
  func timeout() throws {
    let world = try World { $0.policy.timeoutStop = .seconds(20) }
    try world.serve()
    world.sleep(now: true)
    world.advance(by: .milliseconds(19_999))
    #expect(try world.instance.kills == 0)
    world.advance(by: .milliseconds(1))
    #expect(try world.instance.kills == 1 && world.captured.count(\.isKilling) == 1)
    world.advance(by: .seconds(300))
    #expect(try world.instance.kills == 1)
    try world.instance.end(.killed(signal: 9))
    #expect(world.state.isAsleep && world.pauses.isEmpty)
    #expect(world.history.counters[.kills] == 1 && world.history.lastStop?.killed == true)
  }

  @Test("A kill that fails is tried again each second until it succeeds, and counts once")
  func killAgain() throws {
    let world = try World { $0.policy.timeoutStop = .seconds(20) }
    try world.serve()
    world.sleep(now: true)
    try world.instance.killFailure = SystemError("cgroup.kill", errno: 12)
    world.advance(by: .seconds(20))
    #expect(try world.instance.kills == 1 && world.captured.count(\.isCannotEnd) == 1)
    world.advance(by: .milliseconds(999))
    #expect(try world.instance.kills == 1)
    world.advance(by: .milliseconds(1))
    #expect(try world.instance.kills == 2)
    try world.instance.killFailure = nil
    world.advance(by: .seconds(1))
    world.advance(by: .seconds(10))
    #expect(try world.instance.kills == 3)
    try world.instance.end(.killed(signal: 9))
    #expect(world.history.counters[.kills] == 1)
  }

  @Test("A kill that fails is tried again although a signal was to be sent again too")
  func killAfterSignal() throws {
    let world = try World { $0.policy.timeoutStop = .milliseconds(500) }
    try world.serve()
    try world.instance.signalFailure = SystemError("pidfd_send_signal", errno: 12)
    try world.instance.killFailure = SystemError("cgroup.kill", errno: 12)
    world.sleep()
    world.advance(by: .milliseconds(500))
    #expect(try world.instance.signals.count == 1 && world.instance.kills == 1)
    for _ in 1...3 { world.advance(by: .seconds(1)) }
    #expect(try world.instance.signals.count == 1 && world.instance.kills == 4)
  }

  @Test(
    "A signal that cannot be sent is sent again a second later, unless its process has ended",
    arguments: [(errno: Int32(11), signals: 2), (errno: 3, signals: 1)])
  func signalAgain(errno: Int32, signals: Int) throws {
    let world = try World()
    try world.serve()
    try world.instance.signalFailure = SystemError("pidfd_send_signal", errno: errno)
    world.sleep()
    try world.instance.signalFailure = nil
    world.advance(by: .seconds(1))
    world.advance(by: .seconds(5))
    #expect(try world.instance.signals.count == signals)
  }

  @Test("A guest that is woken while it stops is started again as soon as it is gone")
  func wokenAgain() throws {
    let world = try World()
    try world.serve()
    world.sleep()
    world.wake()
    #expect(world.backend.starts.count == 1)
    try world.instance.end()
    #expect(world.backend.starts.count == 2)
    try world.instance.say("READY=1")
    #expect(world.replies.count == 3 && world.state.rest == .serving)
  }

  @Test("What an instance says or reports once it was told to halt changes nothing")
  func late() throws {
    let world = try World()
    try world.serve()
    world.sleep()
    let (state, calls) = (world.state, try world.instance.fakeFreezing?.calls)
    for text in ["READY=1", "X_SYSTEMD_UNIT_INACTIVE=timers.target", "X_SYSTEMD_SHUTDOWN=poweroff", "STOPPING=1"] {
      try world.instance.say(text)
      #expect(world.state == state)
    }
    try world.instance.report(.started)
    try world.instance.report(.memoryKills(2))
    #expect(world.state == state && world.history.counters[.memoryKills] == 2)
    #expect(try world.instance.fakeFreezing?.calls == calls && world.instance.signals == [.realtime(3)])
  }

  @Test("A guest whose clients cannot be parked is not stopped for idleness; that is logged once for each instance")
  func cannotPark() throws {
    let world = try World(path: true)
    try world.serve()
    for _ in 1...2 {
      world.hideDirectory(true)
      for _ in 1...150 { world.advance(by: .seconds(1)) }
      world.hideDirectory(false)
      #expect(world.state.rest == .serving)
      #expect(try world.instance.signals.isEmpty)
      try world.instance.end(.exited(1))
      world.advance(by: .seconds(1))
      world.wake()
      try world.instance.say("READY=1")
    }
    #expect(world.backend.instances.count == 3 && world.captured.count(\.isCannotPark) == 2)
  }

  @Test("A guest that is given up while it sleeps closes its listeners, and cannot be woken any more")
  func release() throws {
    let world = try World()
    world.begin()
    world.supervisor.release(because: .configuration)
    #expect(world.state.isUnbound && world.supervisor.listeners.all.isEmpty)
    world.wake()
    #expect(world.replies == [.failure(.wakeFailed(name: "web", reason: "it was removed"))])
    #expect(world.backend.starts.isEmpty)
  }
}
