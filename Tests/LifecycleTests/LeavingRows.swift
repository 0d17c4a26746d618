@testable import Lifecycle

// Rows about guests that shut down by themselves, or seem to.
extension LifecycleTableTests {
  /// Clients are led apart, also those in its queue, while it stands still.
  static let ledApart: [Effect] = [.holdStill, .closeGate, .takeQueues, .letRun, .arm(.stop)]

  static let leavingRows: [Row] = [
    Row(
      says: "a guest that says it goes has no new clients from then on",
      events: awake + [.leaving(surely: true)], effects: [.disarm(.steady), .unwatchIdleness] + ledApart,
      word: .deactivating),
    Row(
      says: "so has one that seems to go",
      events: awake + [.leaving(surely: false)], effects: [.disarm(.steady), .unwatchIdleness] + ledApart,
      word: .deactivating),
    Row(
      says: "and when it is gone they come to the listeners again, which are held for its next start",
      events: awake + [.leaving(surely: false), .exited(.rebooted)],
      effects: [.disarm(.stop), .openGate, .holdListeners], word: .inactive),
    Row(
      says: "one that said so and does not go is killed",
      events: awake + [.leaving(surely: false), .leaving(surely: true), .stopTimedOut], effects: [.kill],
      word: .deactivating),
    Row(
      says: "one that only seemed to is not, and serves again",
      events: awake + [.leaving(surely: false), .stopTimedOut],
      effects: [.openGate, .disarm(.start), .arm(.steady), .watchIdleness], word: .active),
    Row(
      says: "it does so at once when it says what a guest does not say that goes",
      events: awake + [.leaving(surely: false), .staying],
      effects: [.disarm(.stop), .openGate, .disarm(.start), .arm(.steady), .watchIdleness], word: .active),
    Row(
      says: "or that it is ready again",
      events: awake + [.leaving(surely: false), .ready],
      effects: [.disarm(.stop), .openGate, .disarm(.start), .arm(.steady), .watchIdleness], word: .active),
    Row(
      says: "who is surely going is not believed to stay",
      events: awake + [.leaving(surely: true), .staying], effects: [], word: .deactivating),
    Row(
      says: "a guest that goes before it is ready has no new clients either",
      events: starting + [.leaving(surely: true)], effects: [.disarm(.start)] + ledApart, word: .deactivating),
    Row(
      says: "and starts again if that is a reboot",
      events: starting + [.leaving(surely: true), .exited(.rebooted), .held], effects: [.start], word: .activating),
    Row(
      says: "but pauses if it is not, for it has not served",
      events: starting + [.leaving(surely: true), .exited(.poweredOff)],
      effects: [.disarm(.stop), .openGate, .arm(.pause(failures: 1))], word: .failed),
    Row(
      says: "one that only seemed to go is waited for as before",
      events: starting + [.leaving(surely: false), .staying],
      effects: [.disarm(.stop), .openGate, .arm(.start)], word: .activating),
    Row(
      says: "a guest that has to go and seems to is told to at once",
      events: awake + [.sleepRequested(now: true), .gateClosed, .used, .leaving(surely: false)],
      effects: [.disarm(.drain), .disarm(.look), .takeQueues, .askToHalt, .arm(.stop)], word: .deactivating),
    Row(
      says: "and needs not be told when it does",
      events: awake + [.sleepRequested(now: true), .gateClosed, .used, .leaving(surely: true)],
      effects: [.disarm(.drain), .disarm(.look), .takeQueues, .arm(.stop)], word: .deactivating),
  ]
}
