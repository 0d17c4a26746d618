import Testing

@testable import Lifecycle

/// Rows of the table that keep a promise to users: each is a sequence of events, and the effects of the last one.
@Suite("The life of a guest as a table")
struct LifecycleTableTests {
  /// A client comes right after the guest fell asleep.
  static let connection = Event.connection(quietFor: .zero)
  static let starting: [Event] = [.bind, .bound, connection, .started]
  static let awake = starting + [.ready]
  static let frozen = awake + [.freezeDue, .frozen, .unused]
  /// Somebody asks for a stop whether or not the guest is used.
  static let stopNow = Event.sleepRequested(now: true, inUse: false)

  /// The decision to stop an idle guest: a scan, and one more when all of its listeners are diverted.
  static let decided: [Event] = [.idle(served: true), .diverted, .unused, .diverted, .unused]
  static let halted = decided + [.exited(.poweredOff)]

  static let thaw: [Effect] = [.thaw(staged: true), .disarmAlarm]
  static let endOfDrain: [Effect] = [.disarm(.drain), .disarm(.rescan)]
  static let restored: [Effect] = [.restore, .resumeIdleness, .arm(.stable)]

  static func requested(_ cause: HaltCause) -> [Effect] { [.drainQueues, .requestHalt(cause), .arm(.stop)] }

  struct Row: CustomTestStringConvertible, Sendable {
    let says: String
    let events: [Event]
    let effects: [Effect]
    let word: State.Word
    /// Whether fewer guests start than may: each start has its place at once then.
    var hasPlace = true
    var testDescription: String { says }
  }

  static let startRows: [Row] = [
    Row(says: "bound listeners are watched", events: [.bind, .bound], effects: [.watchListeners], word: .inactive),
    Row(
      says: "clients whom the last daemon parked are there for the first instance",
      events: [.bind], effects: [.unpark, .bindListeners], word: .inactive),
    Row(
      says: "a connection ends the watching before the start",
      events: [.bind, .bound, connection], effects: [.unwatchListeners, .arm(.start), .start], word: .activating),
    Row(
      says: "the deadline of a start runs on when PID 1 exists",
      events: starting, effects: [], word: .activating),
    Row(
      says: "a start that takes too long is killed",
      events: [.bind, .bound, connection, .startTimedOut], effects: [.kill(.startTimeout)], word: .activating),
    Row(
      says: "a start that was killed is followed by a pause",
      events: [.bind, .bound, connection, .startTimedOut, .startFailed],
      effects: [.disarm(.start), .arm(.pause(failures: 1))], word: .failed),
    Row(
      says: "a guest that is to stop while PID 1 is being made is told to as soon as it exists",
      events: [.bind, .bound, connection, stopNow, .started],
      effects: [.disarm(.start), .divert(.all)] + requested(.request), word: .deactivating),
    Row(
      says: "a stop that is asked for during a failing start costs no pause",
      events: [.bind, .bound, connection, stopNow, .startFailed], effects: [.disarm(.start), .bindListeners],
      word: .inactive),
    Row(
      says: "a wake takes back a stop that was asked for during the start",
      events: [.bind, .bound, connection, stopNow, .wakeRequested, .started], effects: [], word: .activating),
    Row(
      says: "the daemon's end during a failing start closes the listeners",
      events: [.bind, .bound, connection, .release(.daemon), .startFailed],
      effects: [.disarm(.start), .unbindListeners], word: .inactive),
    Row(
      says: "the daemon's end is not forgotten when the start takes too long",
      events: [.bind, .bound, connection, .release(.daemon), .startTimedOut, .startFailed],
      effects: [.disarm(.start), .unbindListeners], word: .inactive),
    Row(
      says: "a request to sleep does not keep a guest that is given up during its start",
      events: [.bind, .bound, connection, .release(.daemon), stopNow, .startFailed],
      effects: [.disarm(.start), .unbindListeners], word: .inactive),
    Row(
      says: "a request to sleep spares no pause to a start that took too long",
      events: [.bind, .bound, connection, .startTimedOut, stopNow, .startFailed],
      effects: [.disarm(.start), .arm(.pause(failures: 1))], word: .failed),
    Row(
      says: "a ready guest is watched for idleness",
      events: awake, effects: [.disarm(.start), .arm(.stable), .watchIdleness], word: .active),
    Row(says: "READY=1 may repeat", events: awake + [.ready], effects: [], word: .active),
    Row(
      says: "a guest that never becomes ready is told to halt",
      events: starting + [.startTimedOut], effects: [.divert(.all)] + requested(.startTimeout), word: .deactivating),
    Row(
      says: "a guest that never became ready pauses when it is gone",
      events: starting + [.startTimedOut, .exited(.poweredOff)],
      effects: [.disarm(.stop), .unpark, .arm(.pause(failures: 1))], word: .failed),
    Row(
      says: "a guest that cannot be made pauses",
      events: [.bind, .bound, connection, .startFailed], effects: [.disarm(.start), .arm(.pause(failures: 1))],
      word: .failed),
    Row(
      says: "listeners that cannot be opened are tried again after a pause",
      events: [.bind, .bindFailed, .pauseOver], effects: [.bindListeners], word: .inactive),
    Row(
      says: "a wake ends the pause", events: [.bind, .bound, connection, .startFailed, .wakeRequested],
      effects: [.disarm(.pause(failures: 1)), .bindListeners], word: .inactive),
    Row(
      says: "a wake while the listeners are being opened starts the guest",
      events: [.bind, .wakeRequested, .bound], effects: [.arm(.start), .start], word: .activating),
    Row(
      says: "files that change while the listeners are being opened are obeyed",
      events: [.bind, .changed], effects: [.bindListeners], word: .inactive),
    Row(
      says: "a wake before orphans were looked for is refused",
      events: [.wakeRequested], effects: [.refuse(.wakeWhilePending)], word: .inactive),
    Row(
      says: "a wake after the listeners were closed is refused",
      events: [.bind, .bound, .release(.configuration), .wakeRequested], effects: [.refuse(.wakeUnbound)],
      word: .inactive),
  ]

  static let stopRows: [Row] = [
    Row(
      says: "before an idle guest is told to halt, its new clients are parked",
      events: awake + [.idle(served: true)], effects: [.disarm(.stable), .divert(.restorable)], word: .active),
    Row(
      says: "a scan follows when new clients are parked",
      events: awake + [.idle(served: true), .diverted], effects: [.scan(.stopDue)], word: .active),
    Row(
      says: "a guest at which nobody was found has all of its listeners diverted",
      events: awake + [.idle(served: true), .diverted, .unused], effects: [.divert(.all)], word: .active),
    Row(
      says: "a last scan follows when all listeners are diverted",
      events: awake + [.idle(served: true), .diverted, .unused, .diverted], effects: [.scan(.stopDue)], word: .active),
    Row(
      says: "an idle guest at which nobody is found is told to halt",
      events: awake + decided, effects: [.unwatchIdleness] + requested(.idle), word: .deactivating),
    Row(
      says: "an idle guest at which somebody is found goes on, and parked clients come to it",
      events: awake + [.idle(served: true), .diverted, .used], effects: restored, word: .active),
    Row(
      says: "an idle guest at which the last scan finds somebody goes on",
      events: awake + [.idle(served: true), .diverted, .unused, .diverted, .used], effects: restored, word: .active),
    Row(
      says: "an idle guest whose clients cannot be parked goes on",
      events: awake + [.idle(served: true), .divertFailed], effects: restored, word: .active),
    Row(
      says: "a guest of which the kernel does not tell whether it is used goes on",
      events: awake + [.idle(served: true), .diverted, .scanFailed], effects: restored, word: .active),
    Row(
      says: "a stop that is asked for is decided by what uses the guest at that moment",
      events: awake + [.sleepRequested(now: false, inUse: false), .diverted], effects: [.scan(.use)], word: .active),
    Row(
      says: "a guest that has to go in any case gives those who use it time",
      events: awake + [stopNow, .diverted, .used], effects: [.arm(.rescan)], word: .deactivating),
    Row(
      says: "a guest that has to go waits for a place where its clients can be parked",
      events: awake + [stopNow, .divertFailed], effects: [.arm(.rescan)], word: .deactivating),
    Row(
      says: "parking the clients of a guest that has to go is tried again",
      events: awake + [stopNow, .divertFailed, .rescanDue], effects: [.divert(.all)], word: .deactivating),
    Row(
      says: "a guest that has to go is told to halt when the last client has finished",
      events: awake + [stopNow, .diverted, .used, .rescanDue, .diverted, .unused],
      effects: endOfDrain + requested(.request), word: .deactivating),
    Row(
      says: "a guest that has to go is told to halt when its clients' time has passed",
      events: awake + [stopNow, .diverted, .used, .drainTimedOut],
      effects: endOfDrain + requested(.request), word: .deactivating),
    Row(
      says: "a guest that was told to halt has its listeners bound again when it is gone",
      events: awake + halted, effects: [.disarm(.stop), .unpark, .bindListeners], word: .inactive),
    Row(
      says: "a guest that does not halt is killed",
      events: awake + decided + [.stopTimedOut], effects: [.kill(.stopTimeout)], word: .deactivating),
    Row(
      says: "a guest that cannot hear that it is to halt is killed at once: waiting would change nothing",
      events: awake + decided + [.haltUnheard], effects: [.kill(.unheard)], word: .deactivating),
    Row(
      says: "a daemon that is told twice to end kills a guest that drains",
      events: awake + [.release(.daemon), .diverted, .used, .killRequested],
      effects: endOfDrain + requested(.daemon) + [.kill(.request)], word: .deactivating),
    Row(
      says: "a wake during the halt starts the guest again",
      events: awake + halted.dropLast() + [.wakeRequested, .exited(.poweredOff), .bound],
      effects: [.arm(.start), .start], word: .activating),
    Row(
      says: "a reboot during a halt that was asked for is a halt",
      events: awake + decided + [.exited(.rebooted), .bound], effects: [.watchListeners], word: .inactive),
    Row(
      says: "clients who wait too long for the next instance end this one",
      events: awake + [.parkedTooLong], effects: [.disarm(.stable), .unwatchIdleness, .divert(.all), .arm(.drain)],
      word: .deactivating),
    Row(
      says: "a guest that closed its listener is ended and pauses",
      events: awake + [.listenerClosed, .exited(.poweredOff)],
      effects: [.disarm(.stop), .unpark, .arm(.pause(failures: 1))], word: .failed),
    Row(
      says: "a guest found running is told to halt before its listeners are opened",
      events: [.adopt], effects: thaw + [.divert(.all), .arm(.drain)], word: .deactivating),
    Row(
      says: "the daemon's end stops a running guest and closes its listeners",
      events: awake + [.release(.daemon), .diverted, .unused, .exited(.poweredOff)],
      effects: [.disarm(.stop), .unpark, .unbindListeners], word: .inactive),
    Row(
      says: "the daemon's end closes a sleeping guest's listeners",
      events: [.bind, .bound, .release(.daemon)], effects: [.unwatchListeners, .unbindListeners], word: .inactive),
    Row(
      says: "a stop may be asked for before the guest is ready",
      events: [.bind, .bound, .wakeRequested, .started, .sleepRequested(now: false, inUse: false)],
      effects: [.disarm(.start), .divert(.all)] + requested(.request), word: .deactivating),
    Row(
      says: "a stop before the guest is ready is refused while somebody waits for it",
      events: starting + [.sleepRequested(now: false, inUse: true)], effects: [.refuse(.sleepInUse)],
      word: .activating),
  ]

  static let exitRows: [Row] = [
    Row(
      says: "a guest that powers itself off is asleep",
      events: awake + [.exited(.poweredOff), .bound], effects: [.watchListeners], word: .inactive),
    Row(
      says: "a guest that reboots starts again without a connection, with its listeners repaired",
      events: awake + [.exited(.rebooted), .bound], effects: [.arm(.start), .start], word: .activating),
    Row(
      says: "a guest that crashes pauses before its listeners are bound again",
      events: awake + [.exited(.crashed)],
      effects: [.disarm(.stable), .unwatchIdleness, .arm(.pause(failures: 1))], word: .failed),
    Row(
      says: "the pause heals",
      events: awake + [.exited(.crashed), .pauseOver, .bound], effects: [.watchListeners], word: .inactive),
  ]

  @Test(
    "Each row of the table holds",
    arguments: startRows + turnRows + freezeRows + stopRows + exitRows + vainRows + selfShutdownRows)
  func rowHolds(_ row: Row) {
    var lifecycle = Lifecycle()
    var effects: [Effect] = []
    for event in row.events { effects = row.hasPlace ? lifecycle.happen(event) : lifecycle.handle(event) }
    #expect(effects == row.effects)
    #expect(lifecycle.state.word == row.word)
  }
}

extension Lifecycle {
  /// Handles an event in a world in which fewer guests start than may.
  mutating func happen(_ event: Event) -> [Effect] {
    let effects = handle(event)
    return state.isQueued ? effects.filter { $0 != .requestPlace } + handle(.placeGranted) : effects
  }
}
