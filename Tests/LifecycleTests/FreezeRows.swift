@testable import Lifecycle

// Rows about guests that are frozen, or are to be.
extension LifecycleTableTests {
  static let freezeRows: [Row] = [
    Row(
      says: "a guest that nobody uses is frozen",
      events: awake + [.freezeDue], effects: [.disarm(.stable), .arm(.freeze), .freeze], word: .active),
    Row(
      says: "a last scan follows when all of the guest is frozen, and what comes after the scan is reported",
      events: awake + [.freezeDue, .frozen], effects: [.disarm(.freeze), .handBack, .armAlarm, .scan(.freezeDue)],
      word: .active),
    Row(
      says: "the daemon watches the listeners of a frozen guest",
      events: frozen, effects: [.watchWhileFrozen(asked: false)], word: .frozen),
    Row(
      says: "a guest that was used while it was being frozen goes on",
      events: awake + [.freezeDue, .frozen, .used], effects: thaw + [.resumeIdleness, .arm(.stable)], word: .active),
    Row(
      says: "a guest that is used is frozen all the same when somebody asks for it",
      events: awake + [.freezeRequested(now: true, inUse: true), .frozen, .used],
      effects: [.watchWhileFrozen(asked: true)], word: .frozen),
    Row(
      says: "a freeze of a guest in use is refused unless it is asked for now",
      events: awake + [.freezeRequested(now: false, inUse: true)], effects: [.refuse(.freezeInUse)], word: .active),
    Row(
      says: "a sleeping guest cannot be frozen",
      events: [.bind, .bound, .freezeRequested(now: true, inUse: false)], effects: [.refuse(.freezeNotActive)],
      word: .inactive),
    Row(
      says: "a connection thaws a frozen guest, and the daemon hands its listeners back first",
      events: frozen + [connection], effects: [.handBack] + thaw + [.resumeIdleness, .arm(.stable)], word: .active),
    Row(
      says: "somebody may ask for the thaw",
      events: frozen + [.thawRequested], effects: [.handBack] + thaw + [.resumeIdleness, .arm(.stable)], word: .active),
    Row(
      says: "a guest that does not freeze goes on as if that had not been tried",
      events: awake + [.freezeDue, .freezeFailed],
      effects: [.disarm(.freeze), .handBack] + thaw + [.postponeFreezing, .arm(.stable)], word: .active),
    Row(
      says: "the daemon watches the listeners of a guest that takes long to freeze",
      events: awake + [.freezeDue, .freezeDelayed], effects: [.watchWhileFreezing], word: .active),
    Row(
      says: "a connection ends the freezing of a guest that takes long to freeze",
      events: awake + [.freezeDue, .freezeDelayed, connection],
      effects: [.disarm(.freeze), .handBack] + thaw + [.resumeIdleness, .arm(.stable)], word: .active),
    Row(
      says: "a guest whose queue holds clients that have left is not frozen: its listener would thaw it at once",
      events: awake + [.freezeDue, .frozen, .leftOver], effects: thaw + [.postponeFreezing, .arm(.stable)],
      word: .active),
    Row(
      says: "a guest whose queue holds clients that have left is frozen when somebody asks for it",
      events: awake + [.freezeRequested(now: true, inUse: false), .frozen, .leftOver],
      effects: [.watchWhileFrozen(asked: true)], word: .frozen),
    Row(
      says: "a frozen guest is thawed before the decision about its stop",
      events: frozen + [.idle(served: true)], effects: [.handBack] + thaw + [.divert(.restorable)], word: .active),
    Row(
      says: "a stop of a frozen guest that has clients is refused unless it is asked for now",
      events: frozen + [.sleepRequested(now: false, inUse: true)], effects: [.refuse(.sleepInUse)], word: .frozen),
    Row(
      says: "a frozen guest that has to go at once is thawed in one stage",
      events: frozen + [.listenerClosed],
      effects: [.handBack, .thaw(staged: false), .disarmAlarm, .unwatchIdleness, .divert(.all)]
        + requested(.listenerClosed),
      word: .deactivating),
    Row(
      says: "a frozen guest that is killed pauses",
      events: frozen + [.exited(.crashed)],
      effects: [.handBack, .disarmAlarm, .unwatchIdleness, .arm(.pause(failures: 1))], word: .failed),
  ]
}
