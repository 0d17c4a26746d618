import Testing

@testable import Lifecycle

/// Rows of the table that carry a promise, each as the events of a story and what the last of them asks for.
@Suite("The life of a guest as a table")
struct LifecycleTableTests {
  static let awake: [Event] = [.bind, .bound, .connection, .started, .ready]

  /// An idle guest's way to its end.
  static let halted: [Event] = [.idle, .diverted, .unused, .exited(.poweredOff)]

  static let starting: [Event] = [.bind, .bound, .connection, .started]

  struct Row: CustomTestStringConvertible, Sendable {
    let says: String
    let events: [Event]
    let effects: [Effect]
    let word: State.Word
    var testDescription: String { says }
  }

  static let rows: [Row] = [
    Row(says: "a held guest is watched", events: [.bind, .bound], effects: [.watchListeners], word: .inactive),
    Row(
      says: "a connection stops the watching before the start",
      events: [.bind, .bound, .connection], effects: [.unwatchListeners, .start], word: .activating),
    Row(
      says: "a started guest has a deadline",
      events: [.bind, .bound, .connection, .started], effects: [.arm(.start)], word: .activating),
    Row(
      says: "a ready guest is watched for idleness",
      events: awake, effects: [.disarm(.start), .arm(.stable), .watchIdleness], word: .active),
    Row(says: "READY=1 may repeat", events: awake + [.ready], effects: [], word: .active),
    Row(
      says: "a guest that nobody uses is frozen",
      events: awake + [.freezeDue], effects: [.disarm(.stable), .arm(.freeze), .freeze], word: .active),
    Row(
      says: "the daemon watches in its stead when all of it stands still",
      events: awake + [.freezeDue, .frozen], effects: [.disarm(.freeze), .watchWhileFrozen], word: .frozen),
    Row(
      says: "a connection lets a frozen guest go on, and the daemon steps back first",
      events: awake + [.freezeDue, .frozen, .connection], effects: [.handBack, .thaw, .arm(.stable)], word: .active),
    Row(
      says: "a guest that does not stand still goes on",
      events: awake + [.freezeDue, .freezeFailed], effects: [.disarm(.freeze), .thaw, .arm(.stable)], word: .active),
    Row(
      says: "a frozen guest is thawed before it is looked at for its halt",
      events: awake + [.freezeDue, .frozen, .idle],
      effects: [.handBack, .thaw, .divert], word: .active),
    Row(
      says: "a frozen guest that is killed pauses",
      events: awake + [.freezeDue, .frozen, .exited(.crashed)],
      effects: [.handBack, .unwatchIdleness, .arm(.pause(failures: 1))], word: .failed),
    Row(
      says: "before an idle guest is told to halt, new clients are led apart from it",
      events: awake + [.idle], effects: [.disarm(.stable), .divert], word: .active),
    Row(
      says: "and then it is looked at once more",
      events: awake + [.idle, .diverted], effects: [.rescan], word: .active),
    Row(
      says: "an idle guest at which nobody is found is told to halt",
      events: awake + halted.dropLast(),
      effects: [.unwatchIdleness, .drainQueues, .requestHalt, .arm(.stop)], word: .deactivating),
    Row(
      says: "an idle guest at which somebody is found goes on, and who was led apart comes to it",
      events: awake + [.idle, .diverted, .used], effects: [.restore, .arm(.stable)], word: .active),
    Row(
      says: "an idle guest whose clients have no place to wait goes on",
      events: awake + [.idle, .divertFailed], effects: [.restore, .arm(.stable)], word: .active),
    Row(
      says: "a guest that has to go in any case is given time with those who use it",
      events: awake + [.sleepRequested(now: true), .diverted, .used], effects: [.arm(.look)], word: .deactivating),
    Row(
      says: "so is one whose clients have no place to wait",
      events: awake + [.sleepRequested(now: true), .divertFailed], effects: [.arm(.look)], word: .deactivating),
    Row(
      says: "and it is tried again to give them one",
      events: awake + [.sleepRequested(now: true), .divertFailed, .rescanDue], effects: [.divert], word: .deactivating),
    Row(
      says: "and is told to halt when the last of them has done",
      events: awake + [.sleepRequested(now: true), .diverted, .used, .rescanDue, .unused],
      effects: [.disarm(.drain), .disarm(.look), .drainQueues, .requestHalt, .arm(.stop)], word: .deactivating),
    Row(
      says: "or when the time is over",
      events: awake + [.sleepRequested(now: true), .diverted, .used, .drainTimedOut],
      effects: [.disarm(.drain), .disarm(.look), .drainQueues, .requestHalt, .arm(.stop)], word: .deactivating),
    Row(
      says: "a guest that went on being told is held again",
      events: awake + halted, effects: [.disarm(.stop), .restore, .bindListeners], word: .inactive),
    Row(
      says: "a guest that does not go is killed",
      events: awake + halted.dropLast() + [.stopTimedOut], effects: [.kill], word: .deactivating),
    Row(
      says: "a wake during the halt starts the guest again",
      events: awake + halted.dropLast() + [.wakeRequested, .exited(.poweredOff), .bound], effects: [.start],
      word: .activating),
    Row(
      says: "a reboot during a halt that was asked for is a halt",
      events: awake + halted.dropLast() + [.exited(.rebooted), .bound], effects: [.watchListeners], word: .inactive),
    Row(
      says: "a guest that powers itself off is asleep",
      events: awake + [.exited(.poweredOff), .bound], effects: [.watchListeners], word: .inactive),
    Row(
      says: "a guest that reboots starts again without a connection, with its listeners repaired",
      events: awake + [.exited(.rebooted), .bound], effects: [.start], word: .activating),
    Row(
      says: "a guest that crashes pauses before it is held again",
      events: awake + [.exited(.crashed)],
      effects: [.disarm(.stable), .unwatchIdleness, .arm(.pause(failures: 1))], word: .failed),
    Row(
      says: "the pause heals",
      events: awake + [.exited(.crashed), .pauseOver, .bound], effects: [.watchListeners], word: .inactive),
    Row(
      says: "a guest that never becomes ready is told to halt",
      events: [.bind, .bound, .connection, .started, .startTimedOut],
      effects: [.divert, .drainQueues, .requestHalt, .arm(.stop)], word: .deactivating),
    Row(
      says: "and then pauses",
      events: [.bind, .bound, .connection, .started, .startTimedOut, .exited(.poweredOff)],
      effects: [.disarm(.stop), .restore, .arm(.pause(failures: 1))], word: .failed),
    Row(
      says: "a guest that cannot be made pauses",
      events: [.bind, .bound, .connection, .startFailed], effects: [.arm(.pause(failures: 1))], word: .failed),
    Row(
      says: "listeners that cannot be opened are tried again after a pause",
      events: [.bind, .bindFailed, .pauseOver], effects: [.bindListeners], word: .inactive),
    Row(
      says: "a wake ends the pause", events: [.bind, .bound, .connection, .startFailed, .wakeRequested],
      effects: [.disarm(.pause(failures: 1)), .bindListeners], word: .inactive),
    Row(
      says: "a guest that let go of its listener is ended and pauses",
      events: awake + [.listenerClosed, .exited(.poweredOff)],
      effects: [.disarm(.stop), .restore, .arm(.pause(failures: 1))], word: .failed),
    Row(
      says: "a guest found running is told to halt before its listeners are opened",
      events: [.adopt], effects: [.thaw, .divert, .arm(.drain)], word: .deactivating),
    Row(
      says: "the daemon's end stops a running guest and lets its listeners go",
      events: awake + [.release, .diverted, .unused, .exited(.poweredOff)],
      effects: [.disarm(.stop), .restore, .unbindListeners], word: .inactive),
    Row(
      says: "the daemon's end lets a sleeping guest's listeners go",
      events: [.bind, .bound, .release], effects: [.unwatchListeners, .unbindListeners], word: .inactive),
    Row(
      says: "a stop may be asked before the guest is ready",
      events: [.bind, .bound, .wakeRequested, .started, .sleepRequested(now: false)],
      effects: [.disarm(.start), .divert, .drainQueues, .requestHalt, .arm(.stop)], word: .deactivating),
  ]

  @Test("Each row of the table holds", arguments: rows + selfShutdownRows)
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
    _ = lifecycle.handle(.bind)
    var wakes = 0
    while lifecycle.handle(.bound) == [.watchListeners], lifecycle.handle(.connection).contains(.start) {
      wakes += 1
      for event in [Event.started, .ready, .exited(.poweredOff)] { _ = lifecycle.handle(event) }
    }
    #expect(wakes == Backoff.allowance + 1)
    #expect(lifecycle.state.word == .failed)
    #expect(lifecycle.handle(.pauseOver) == [.bindListeners])
    #expect(lifecycle.handle(.bound) == [.start])
  }

  @Test("A guest that ran steadily has its failures forgotten")
  func steadinessForgets() {
    var lifecycle = Lifecycle()
    for event in Self.awake + [.exited(.crashed), .pauseOver, .bound, .connection, .started, .ready, .stable] {
      _ = lifecycle.handle(event)
    }
    #expect(lifecycle.state == .active(.init(failures: 0)))
  }

  @Test("One pause is made for a failure, and whoever comes after it starts the guest at once")
  func pausesOnce() {
    var lifecycle = Lifecycle()
    for event in [Event.bind, .bound] { _ = lifecycle.handle(event) }
    for _ in 0..<5 {
      for event in [Event.connection, .started, .ready] { _ = lifecycle.handle(event) }
      #expect(lifecycle.handle(.exited(.crashed)).contains { if case .arm(.pause) = $0 { true } else { false } })
      #expect(lifecycle.handle(.pauseOver) == [.bindListeners])
      #expect(lifecycle.handle(.bound) == [.watchListeners])
    }
    #expect(lifecycle.handle(.connection) == [.unwatchListeners, .start])
  }

  @Test(
    "A stop that was asked for costs whoever comes next no pause, though the guest had crashed before",
    arguments: [true, false])
  func askedStopIsNoFailure(now: Bool) {
    var lifecycle = Lifecycle()
    for event in [Event.bind, .bound] { _ = lifecycle.handle(event) }
    for _ in 0..<5 {
      for event in [Event.connection, .started, .ready, .exited(.crashed), .pauseOver, .bound] {
        _ = lifecycle.handle(event)
      }
    }
    let stop = [
      Event.connection, .started, .ready, .sleepRequested(now: now), .diverted, .unused, .exited(.poweredOff), .bound,
    ]
    for event in stop { _ = lifecycle.handle(event) }
    #expect(lifecycle.handle(.connection) == [.unwatchListeners, .start])
  }

  @Test("A guest that serves and powers itself off, again and again, never pays when nobody was left at its door")
  func quietForgets() {
    var lifecycle = Lifecycle()
    _ = lifecycle.handle(.bind)
    for _ in 0..<10 {
      #expect(lifecycle.handle(.bound) == [.watchListeners])
      #expect(lifecycle.handle(.stable).isEmpty)
      #expect(lifecycle.handle(.connection).contains(.start))
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
