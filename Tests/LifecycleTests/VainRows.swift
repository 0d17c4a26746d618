@testable import Lifecycle

// Rows about guests that wait for their turn, and about those that are started in vain.
extension LifecycleTableTests {
  private static let queued: [Event] = [.bind, .bound, connection]

  static let turnRows: [Row] = [
    Row(
      says: "a connection has a guest ask for a place among those that start",
      events: queued, effects: [.unwatchListeners, .requestPlace], word: .activating, hasPlace: false),
    Row(
      says: "a guest is started when its turn comes, and has the whole of its time from then on",
      events: queued + [.placeGranted], effects: [.arm(.start), .start], word: .activating, hasPlace: false),
    Row(
      says: "a wake changes nothing for a guest that waits for its turn",
      events: queued + [.wakeRequested], effects: [], word: .activating, hasPlace: false),
    Row(
      says: "a guest that waits for its turn sleeps when somebody asks for that",
      events: queued + [.sleepRequested(now: false, inUse: false)], effects: [.watchListeners], word: .inactive,
      hasPlace: false),
    Row(
      says: "a turn that comes too late starts nothing",
      events: queued + [.sleepRequested(now: true, inUse: false), .placeGranted], effects: [], word: .inactive,
      hasPlace: false),
    Row(
      says: "files that change while a guest waits for its turn are obeyed",
      events: queued + [.changed, .bound], effects: [.requestPlace], word: .activating, hasPlace: false),
    Row(
      says: "the daemon's end closes the listeners of a guest that waits for its turn",
      events: queued + [.release(.daemon)], effects: [.unbindListeners], word: .inactive, hasPlace: false),
  ]

  /// Nobody was accepted until `IdleStopSec=` was over.
  private static let inVain: [Event] = [
    .started, .ready, .idle(served: false), .diverted, .unused, .diverted, .unused, .exited(.poweredOff), .bound,
  ]
  /// Started and not made, so often that clients are refused.
  private static let failing: [Event] =
    [.bind, .bound]
    + Array(
      repeating: [connection, .startFailed, .pauseOver, .bound], count: Backoff.limit - 1
    ).flatMap { $0 } + [connection]

  static let vainRows: [Row] = [
    Row(
      says: "a guest that accepted none of its clients is stopped when it is idle, like any other",
      events: awake + [.idle(served: false), .diverted, .unused, .diverted, .unused],
      effects: [.unwatchIdleness] + requested(.idle), word: .deactivating),
    Row(
      says: "a guest that was woken in vain again and again is woken after a pause",
      events: [.bind, .bound] + Array(repeating: [connection] + inVain, count: Backoff.allowance + 1).flatMap { $0 }
        + [connection],
      effects: [.unwatchListeners, .arm(.pause(failures: Backoff.allowance + 1))], word: .failed),
    Row(
      says: "a run in which clients were served has earlier ones in vain forgotten",
      events: [.bind, .bound] + Array(repeating: [connection] + inVain, count: Backoff.allowance).flatMap { $0 }
        + [connection, .started, .ready, .idle(served: true), .diverted, .unused, .diverted, .unused]
        + [.exited(.poweredOff), .bound, connection] + inVain + [connection],
      effects: [.unwatchListeners, .arm(.start), .start], word: .activating),
    Row(
      says: "a guest that fails too often has its clients refused until the pause is over",
      events: failing + [.startFailed],
      effects: [.disarm(.start), .arm(.pause(failures: Backoff.limit)), .refuseClients], word: .failed),
    Row(
      says: "the refusing ends with the pause",
      events: failing + [.startFailed, .pauseOver], effects: [.unwatchListeners, .bindListeners], word: .inactive),
    Row(
      says: "a guest that failed too often waits for a new client after the pause, and is still called failed",
      events: failing + [.startFailed, .pauseOver, .bound], effects: [.watchListeners], word: .failed),
    Row(
      says: "the first client after the pause is a new attempt",
      events: failing + [.startFailed, .pauseOver, .bound, connection],
      effects: [.unwatchListeners, .arm(.start), .start], word: .activating),
    Row(
      says: "a wake ends the refusing", events: failing + [.startFailed, .wakeRequested],
      effects: [.unwatchListeners, .disarm(.pause(failures: Backoff.limit)), .bindListeners], word: .inactive),
    Row(
      says: "the daemon's end closes the listeners at which clients are refused",
      events: failing + [.startFailed, .release(.daemon)],
      effects: [.unwatchListeners, .disarm(.pause(failures: Backoff.limit)), .unbindListeners], word: .inactive),
    Row(
      says: "a guest that reboots again and again is not started once more when its clients are refused",
      events: [.bind, .bound, .wakeRequested]
        + Array(
          repeating: [.started, .exited(.rebooted), .bound], count: Backoff.allowance
        ).flatMap { $0 }
        + [.started, .exited(.rebooted), .pauseOver, .bound, .started, .exited(.rebooted), .pauseOver, .bound]
        + [.started, .exited(.rebooted), .pauseOver, .bound],
      effects: [.watchListeners], word: .failed),
  ]
}
