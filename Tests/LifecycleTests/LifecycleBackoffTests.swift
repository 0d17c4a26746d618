import Testing

@testable import Lifecycle

@Suite("The pauses between a guest's failures")
struct LifecycleBackoffTests {
  private let connection = LifecycleTableTests.connection
  private let start: [Effect] = [.unwatchListeners, .arm(.start), .start]

  @Test("A guest that powers itself off without serving is woken at once only so often")
  func unservedPowerOffPays() {
    var lifecycle = Lifecycle()
    _ = lifecycle.happen(.bind)
    var wakes = 0
    while lifecycle.happen(.bound) == [.watchListeners], lifecycle.happen(connection).contains(.start) {
      wakes += 1
      for event in [Event.started, .ready, .exited(.poweredOff)] { _ = lifecycle.happen(event) }
    }
    #expect(wakes == Backoff.allowance + 1)
    #expect(lifecycle.state.word == .failed)
    #expect(lifecycle.happen(.pauseOver) == [.bindListeners])
    #expect(lifecycle.happen(.bound) == [.arm(.start), .start])
  }

  @Test("A guest that was stable has its failures forgotten")
  func stabilityForgets() {
    var lifecycle = Lifecycle()
    for event in LifecycleTableTests.awake
      + [.exited(.crashed), .pauseOver, .bound, connection, .started, .ready, .stable(served: true)]
    {
      _ = lifecycle.happen(event)
    }
    #expect(lifecycle.state == .active(.init(failures: 0)))
  }

  @Test("A guest that runs on without accepting those who wait has no failure forgotten")
  func unservedIsNotStable() {
    var lifecycle = Lifecycle()
    for event in LifecycleTableTests.awake
      + [.exited(.crashed), .pauseOver, .bound, connection, .started, .ready, .stable(served: false)]
    {
      _ = lifecycle.happen(event)
    }
    #expect(lifecycle.state == .active(.init(failures: 1, isPaid: true)))
  }

  @Test("One pause is made for a failure, and whoever comes after it starts the guest at once")
  func pausesOnce() {
    var lifecycle = Lifecycle()
    for event in [Event.bind, .bound] { _ = lifecycle.happen(event) }
    for _ in 1..<Backoff.limit {
      for event in [connection, .started, .ready] { _ = lifecycle.happen(event) }
      #expect(lifecycle.happen(.exited(.crashed)).contains { if case .arm(.pause) = $0 { true } else { false } })
      #expect(lifecycle.happen(.pauseOver) == [.bindListeners])
      #expect(lifecycle.happen(.bound) == [.watchListeners])
    }
    #expect(lifecycle.happen(connection) == start)
  }

  @Test(
    "After a requested stop the next client waits for no pause, although the guest had crashed before",
    arguments: [true, false])
  func askedStopIsNoFailure(now: Bool) {
    var lifecycle = Lifecycle()
    for event in [Event.bind, .bound] { _ = lifecycle.happen(event) }
    for _ in 0..<5 {
      for event in [connection, .started, .ready, .exited(.crashed), .pauseOver, .bound] {
        _ = lifecycle.happen(event)
      }
    }
    let stop: [Event] = [
      connection, .started, .ready, .sleepRequested(now: now, inUse: false), .diverted, .unused, .diverted, .unused,
      .exited(.poweredOff), .bound,
    ]
    for event in stop { _ = lifecycle.happen(event) }
    #expect(lifecycle.happen(connection) == start)
  }

  @Test("A guest that serves and powers itself off, again and again, is never paused when no client was left waiting")
  func quietForgets() {
    var lifecycle = Lifecycle()
    _ = lifecycle.happen(.bind)
    for _ in 0..<10 {
      #expect(lifecycle.happen(.bound) == [.watchListeners])
      #expect(lifecycle.happen(.connection(quietFor: Backoff.quiet(afterFailures: 1))).contains(.start))
      for event in [Event.started, .ready, .exited(.poweredOff)] { _ = lifecycle.happen(event) }
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
