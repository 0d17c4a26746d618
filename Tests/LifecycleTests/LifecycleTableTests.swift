import Testing

@testable import Lifecycle

/// Rows of the table that carry a promise, each as the events of a story and what the last of them asks for.
@Suite("The life of a guest as a table")
struct LifecycleTableTests {
  static let awake: [Event] = [.hold, .held, .connection, .started, .ready]

  /// An idle guest's way to its end.
  static let halted: [Event] = [.idle, .gateClosed, .unused, .exited(.poweredOff)]

  static let starting: [Event] = [.hold, .held, .connection, .started]

  struct Row: CustomTestStringConvertible, Sendable {
    let says: String
    let events: [Event]
    let effects: [Effect]
    let word: State.Word
    var testDescription: String { says }
  }

  static let rows: [Row] = [
    Row(says: "a held guest is watched", events: [.hold, .held], effects: [.watchListeners], word: .inactive),
    Row(
      says: "a connection stops the watching before the start",
      events: [.hold, .held, .connection], effects: [.unwatchListeners, .start], word: .activating),
    Row(
      says: "a started guest has a deadline",
      events: [.hold, .held, .connection, .started], effects: [.arm(.start)], word: .activating),
    Row(
      says: "a ready guest is watched for idleness",
      events: awake, effects: [.disarm(.start), .arm(.steady), .watchIdleness], word: .active),
    Row(says: "READY=1 may repeat", events: awake + [.ready], effects: [], word: .active),
    Row(
      says: "a guest that nobody uses is frozen",
      events: awake + [.freezeDue], effects: [.disarm(.steady), .arm(.freeze), .freeze], word: .active),
    Row(
      says: "the daemon watches in its stead when all of it stands still",
      events: awake + [.freezeDue, .frozen], effects: [.disarm(.freeze), .standIn], word: .frozen),
    Row(
      says: "a connection lets a frozen guest go on, and the daemon steps back first",
      events: awake + [.freezeDue, .frozen, .connection], effects: [.stepBack, .thaw, .arm(.steady)], word: .active),
    Row(
      says: "a guest that does not stand still goes on",
      events: awake + [.freezeDue, .freezeFailed], effects: [.disarm(.freeze), .thaw, .arm(.steady)], word: .active),
    Row(
      says: "a frozen guest is thawed before it is looked at for its halt",
      events: awake + [.freezeDue, .frozen, .idle],
      effects: [.stepBack, .thaw, .closeGate], word: .active),
    Row(
      says: "a frozen guest that is killed pauses",
      events: awake + [.freezeDue, .frozen, .exited(.crashed)],
      effects: [.stepBack, .unwatchIdleness, .arm(.pause(failures: 1))], word: .failed),
    Row(
      says: "before an idle guest is told to halt, new clients are led apart from it",
      events: awake + [.idle], effects: [.disarm(.steady), .closeGate], word: .active),
    Row(
      says: "and then it is looked at once more",
      events: awake + [.idle, .gateClosed], effects: [.lookAgain], word: .active),
    Row(
      says: "an idle guest at which nobody is found is told to halt",
      events: awake + halted.dropLast(),
      effects: [.unwatchIdleness, .takeQueues, .askToHalt, .arm(.stop)], word: .deactivating),
    Row(
      says: "an idle guest at which somebody is found goes on, and who was led apart comes to it",
      events: awake + [.idle, .gateClosed, .used], effects: [.openGate, .arm(.steady)], word: .active),
    Row(
      says: "an idle guest whose clients have no place to wait goes on",
      events: awake + [.idle, .gateFailed], effects: [.openGate, .arm(.steady)], word: .active),
    Row(
      says: "a guest that has to go in any case is given time with those who use it",
      events: awake + [.sleepRequested(now: true), .gateClosed, .used], effects: [.arm(.look)], word: .deactivating),
    Row(
      says: "so is one whose clients have no place to wait",
      events: awake + [.sleepRequested(now: true), .gateFailed], effects: [.arm(.look)], word: .deactivating),
    Row(
      says: "and it is tried again to give them one",
      events: awake + [.sleepRequested(now: true), .gateFailed, .lookDue], effects: [.closeGate], word: .deactivating),
    Row(
      says: "and is told to halt when the last of them has done",
      events: awake + [.sleepRequested(now: true), .gateClosed, .used, .lookDue, .unused],
      effects: [.disarm(.drain), .disarm(.look), .takeQueues, .askToHalt, .arm(.stop)], word: .deactivating),
    Row(
      says: "or when the time is over",
      events: awake + [.sleepRequested(now: true), .gateClosed, .used, .drainTimedOut],
      effects: [.disarm(.drain), .disarm(.look), .takeQueues, .askToHalt, .arm(.stop)], word: .deactivating),
    Row(
      says: "a guest that went on being told is held again",
      events: awake + halted, effects: [.disarm(.stop), .openGate, .holdListeners], word: .inactive),
    Row(
      says: "a guest that does not go is killed",
      events: awake + halted.dropLast() + [.stopTimedOut], effects: [.kill], word: .deactivating),
    Row(
      says: "a wake during the halt starts the guest again",
      events: awake + halted.dropLast() + [.wakeRequested, .exited(.poweredOff), .held], effects: [.start],
      word: .activating),
    Row(
      says: "a reboot during a halt that was asked for is a halt",
      events: awake + halted.dropLast() + [.exited(.rebooted), .held], effects: [.watchListeners], word: .inactive),
    Row(
      says: "a guest that powers itself off is asleep",
      events: awake + [.exited(.poweredOff), .held], effects: [.watchListeners], word: .inactive),
    Row(
      says: "a guest that reboots starts again without a connection, with its listeners repaired",
      events: awake + [.exited(.rebooted), .held], effects: [.start], word: .activating),
    Row(
      says: "a guest that crashes pauses before it is held again",
      events: awake + [.exited(.crashed)],
      effects: [.disarm(.steady), .unwatchIdleness, .arm(.pause(failures: 1))], word: .failed),
    Row(
      says: "the pause heals",
      events: awake + [.exited(.crashed), .pauseOver, .held], effects: [.watchListeners], word: .inactive),
    Row(
      says: "a guest that never becomes ready is told to halt",
      events: [.hold, .held, .connection, .started, .startTimedOut],
      effects: [.closeGate, .takeQueues, .askToHalt, .arm(.stop)], word: .deactivating),
    Row(
      says: "and then pauses",
      events: [.hold, .held, .connection, .started, .startTimedOut, .exited(.poweredOff)],
      effects: [.disarm(.stop), .openGate, .arm(.pause(failures: 1))], word: .failed),
    Row(
      says: "a guest that cannot be made pauses",
      events: [.hold, .held, .connection, .startFailed], effects: [.arm(.pause(failures: 1))], word: .failed),
    Row(
      says: "listeners that cannot be opened are tried again after a pause",
      events: [.hold, .holdFailed, .pauseOver], effects: [.holdListeners], word: .inactive),
    Row(
      says: "a wake ends the pause", events: [.hold, .held, .connection, .startFailed, .wakeRequested],
      effects: [.disarm(.pause(failures: 1)), .holdListeners], word: .inactive),
    Row(
      says: "a guest that let go of its listener is ended and pauses",
      events: awake + [.listenerClosed, .exited(.poweredOff)],
      effects: [.disarm(.stop), .openGate, .arm(.pause(failures: 1))], word: .failed),
    Row(
      says: "a guest found running is told to halt before its listeners are opened",
      events: [.holdRunning], effects: [.thaw, .closeGate, .arm(.drain)], word: .deactivating),
    Row(
      says: "the daemon's end stops a running guest and lets its listeners go",
      events: awake + [.release, .gateClosed, .unused, .exited(.poweredOff)],
      effects: [.disarm(.stop), .openGate, .releaseListeners], word: .inactive),
    Row(
      says: "the daemon's end lets a sleeping guest's listeners go",
      events: [.hold, .held, .release], effects: [.unwatchListeners, .releaseListeners], word: .inactive),
    Row(
      says: "a stop may be asked before the guest is ready",
      events: [.hold, .held, .wakeRequested, .started, .sleepRequested(now: false)],
      effects: [.disarm(.start), .closeGate, .takeQueues, .askToHalt, .arm(.stop)], word: .deactivating),
  ]

  @Test("Each row of the table holds", arguments: rows + leavingRows)
  func rowHolds(_ row: Row) {
    var lifecycle = Lifecycle()
    var effects: [Effect] = []
    for event in row.events { effects = lifecycle.handle(event) }
    #expect(effects == row.effects)
    #expect(lifecycle.state.word == row.word)
  }

  @Test("A guest that powers itself off unserved is woken at once only so often")
  func unservedPowerOffPays() {
    var lifecycle = Lifecycle()
    _ = lifecycle.handle(.hold)
    var wakes = 0
    while lifecycle.handle(.held) == [.watchListeners], lifecycle.handle(.connection).contains(.start) {
      wakes += 1
      for event in [Event.started, .ready, .exited(.poweredOff)] { _ = lifecycle.handle(event) }
    }
    #expect(wakes == Backoff.allowance + 1)
    #expect(lifecycle.state.word == .failed)
    #expect(lifecycle.handle(.pauseOver) == [.holdListeners])
    #expect(lifecycle.handle(.held) == [.start])
  }

  @Test("A guest that ran steadily has its failures forgotten")
  func steadinessForgets() {
    var lifecycle = Lifecycle()
    for event in Self.awake + [.exited(.crashed), .pauseOver, .held, .connection, .started, .ready, .steady] {
      _ = lifecycle.handle(event)
    }
    #expect(lifecycle.state == .active(.init(failures: 0)))
  }

  @Test("One pause is made for a failure, and whoever comes after it starts the guest at once")
  func pausesOnce() {
    var lifecycle = Lifecycle()
    for event in [Event.hold, .held] { _ = lifecycle.handle(event) }
    for _ in 0..<5 {
      for event in [Event.connection, .started, .ready] { _ = lifecycle.handle(event) }
      #expect(lifecycle.handle(.exited(.crashed)).contains { if case .arm(.pause) = $0 { true } else { false } })
      #expect(lifecycle.handle(.pauseOver) == [.holdListeners])
      #expect(lifecycle.handle(.held) == [.watchListeners])
    }
    #expect(lifecycle.handle(.connection) == [.unwatchListeners, .start])
  }

  @Test(
    "A stop that was asked for costs whoever comes next no pause, though the guest had crashed before",
    arguments: [true, false])
  func askedStopIsNoFailure(now: Bool) {
    var lifecycle = Lifecycle()
    for event in [Event.hold, .held] { _ = lifecycle.handle(event) }
    for _ in 0..<5 {
      for event in [Event.connection, .started, .ready, .exited(.crashed), .pauseOver, .held] {
        _ = lifecycle.handle(event)
      }
    }
    let stop = [
      Event.connection, .started, .ready, .sleepRequested(now: now), .gateClosed, .unused, .exited(.poweredOff), .held,
    ]
    for event in stop { _ = lifecycle.handle(event) }
    #expect(lifecycle.handle(.connection) == [.unwatchListeners, .start])
  }

  @Test("A guest that serves and powers itself off, again and again, never pays when nobody was left at its door")
  func quietForgets() {
    var lifecycle = Lifecycle()
    _ = lifecycle.handle(.hold)
    for _ in 0..<10 {
      #expect(lifecycle.handle(.held) == [.watchListeners])
      #expect(lifecycle.handle(.steady).isEmpty)
      #expect(lifecycle.handle(.connection).contains(.start))
      for event in [Event.started, .ready, .exited(.poweredOff)] { _ = lifecycle.handle(event) }
    }
  }

  @Test("Quiet forgets failures only when it is longer than their pause")
  func quietIsLonger() {
    for failures in 0...40 {
      #expect(Backoff.quiet(afterFailures: failures) >= Backoff.steadyAfter)
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
