import Testing

@testable import Lifecycle

@Suite("The pauses between a guest's failures")
struct LifecycleBackoffTests {
  private let connection = LifecycleTableTests.connection
  private let start: [Effect] = [.unwatchListeners, .arm(.start), .start]

  @Test("A guest that powers itself off without serving is woken at once only so often")
  func unservedPowerOffPays() {
    var lifecycle = Lifecycle()
    _ = lifecycle.handle(.bind)
    var wakes = 0
    while lifecycle.handle(.bound) == [.watchListeners], lifecycle.handle(connection).contains(.start) {
      wakes += 1
      for event in [Event.started, .ready, .exited(.poweredOff)] { _ = lifecycle.handle(event) }
    }
    #expect(wakes == Backoff.allowance + 1)
    #expect(lifecycle.state.word == .failed)
    #expect(lifecycle.handle(.pauseOver) == [.bindListeners])
    #expect(lifecycle.handle(.bound) == [.arm(.start), .start])
  }

  @Test("A guest that was stable has its failures forgotten")
  func stabilityForgets() {
    var lifecycle = Lifecycle()
    for event in LifecycleTableTests.awake
      + [.exited(.crashed), .pauseOver, .bound, connection, .started, .ready, .stable]
    {
      _ = lifecycle.handle(event)
    }
    #expect(lifecycle.state == .active(.init(failures: 0)))
  }

  @Test("One pause is made for a failure, and whoever comes after it starts the guest at once")
  func pausesOnce() {
    var lifecycle = Lifecycle()
    for event in [Event.bind, .bound] { _ = lifecycle.handle(event) }
    for _ in 0..<5 {
      for event in [connection, .started, .ready] { _ = lifecycle.handle(event) }
      #expect(lifecycle.handle(.exited(.crashed)).contains { if case .arm(.pause) = $0 { true } else { false } })
      #expect(lifecycle.handle(.pauseOver) == [.bindListeners])
      #expect(lifecycle.handle(.bound) == [.watchListeners])
    }
    #expect(lifecycle.handle(connection) == start)
  }

  @Test(
    "After a requested stop the next client waits for no pause, although the guest had crashed before",
    arguments: [true, false])
  func askedStopIsNoFailure(now: Bool) {
    var lifecycle = Lifecycle()
    for event in [Event.bind, .bound] { _ = lifecycle.handle(event) }
    for _ in 0..<5 {
      for event in [connection, .started, .ready, .exited(.crashed), .pauseOver, .bound] {
        _ = lifecycle.handle(event)
      }
    }
    let stop: [Event] = [
      connection, .started, .ready, .sleepRequested(now: now, inUse: false), .diverted, .unused, .diverted, .unused,
      .exited(.poweredOff), .bound,
    ]
    for event in stop { _ = lifecycle.handle(event) }
    #expect(lifecycle.handle(connection) == start)
  }

  @Test("A guest that serves and powers itself off, again and again, is never paused when no client was left waiting")
  func quietForgets() {
    var lifecycle = Lifecycle()
    _ = lifecycle.handle(.bind)
    for _ in 0..<10 {
      #expect(lifecycle.handle(.bound) == [.watchListeners])
      #expect(lifecycle.handle(.connection(quietFor: Backoff.quiet(afterFailures: 1))).contains(.start))
      for event in [Event.started, .ready, .exited(.poweredOff)] { _ = lifecycle.handle(event) }
    }
  }

  @Test("Quiet forgets failures only when it is longer than their pause")
  func quietIsLonger() {
    for failures in 0...40 {
      #expect(Backoff.quiet(afterFailures: failures) >= Backoff.stableAfter)
      #expect(Backoff.quiet(afterFailures: failures) >= Backoff.pause(afterFailures: failures))
    }
  }

  @Test("The pause grows with each failure and ends at its longest")
  func pauseGrows() {
    let pauses = (1...40).map { Backoff.pause(afterFailures: $0) }
    #expect(pauses.first == .milliseconds(500))
    #expect(zip(pauses, pauses.dropFirst()).allSatisfy { $0 < $1 || $1 == Backoff.longest })
    #expect(pauses.last == Backoff.longest)
  }
}
