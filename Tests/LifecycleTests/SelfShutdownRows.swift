@testable import Lifecycle

// Rows about guests that shut down by themselves, or seem to.
extension LifecycleTableTests {
  /// Clients are led apart, also those in its queue, while it stands still.
  static let diverted: [Effect] = [.quiesce, .divert, .drainQueues, .resume, .arm(.stop)]

  static let selfShutdownRows: [Row] = [
    Row(
      says: "a guest that says it goes has no new clients from then on",
      events: awake + [.selfShutdown(confirmed: true)], effects: [.disarm(.stable), .unwatchIdleness] + diverted,
      word: .deactivating),
    Row(
      says: "so has one that seems to go",
      events: awake + [.selfShutdown(confirmed: false)], effects: [.disarm(.stable), .unwatchIdleness] + diverted,
      word: .deactivating),
    Row(
      says: "and when it is gone they come to the listeners again, which are held for its next start",
      events: awake + [.selfShutdown(confirmed: false), .exited(.rebooted)],
      effects: [.disarm(.stop), .restore, .bindListeners], word: .inactive),
    Row(
      says: "one that said so and does not go is killed",
      events: awake + [.selfShutdown(confirmed: false), .selfShutdown(confirmed: true), .stopTimedOut],
      effects: [.kill],
      word: .deactivating),
    Row(
      says: "one that only seemed to is not, and serves again",
      events: awake + [.selfShutdown(confirmed: false), .stopTimedOut],
      effects: [.restore, .disarm(.start), .arm(.stable), .watchIdleness], word: .active),
    Row(
      says: "it does so at once when it says what a guest does not say that goes",
      events: awake + [.selfShutdown(confirmed: false), .shutdownAborted],
      effects: [.disarm(.stop), .restore, .disarm(.start), .arm(.stable), .watchIdleness], word: .active),
    Row(
      says: "or that it is ready again",
      events: awake + [.selfShutdown(confirmed: false), .ready],
      effects: [.disarm(.stop), .restore, .disarm(.start), .arm(.stable), .watchIdleness], word: .active),
    Row(
      says: "who is confirmed going is not believed to stay",
      events: awake + [.selfShutdown(confirmed: true), .shutdownAborted], effects: [], word: .deactivating),
    Row(
      says: "a guest that goes before it is ready has no new clients either",
      events: starting + [.selfShutdown(confirmed: true)], effects: [.disarm(.start)] + diverted, word: .deactivating),
    Row(
      says: "and starts again if that is a reboot",
      events: starting + [.selfShutdown(confirmed: true), .exited(.rebooted), .bound], effects: [.start],
      word: .activating),
    Row(
      says: "but pauses if it is not, for it has not served",
      events: starting + [.selfShutdown(confirmed: true), .exited(.poweredOff)],
      effects: [.disarm(.stop), .restore, .arm(.pause(failures: 1))], word: .failed),
    Row(
      says: "one that only seemed to go is waited for as before",
      events: starting + [.selfShutdown(confirmed: false), .shutdownAborted],
      effects: [.disarm(.stop), .restore, .arm(.start)], word: .activating),
    Row(
      says: "a guest that has to go and seems to is told to at once",
      events: awake + [.sleepRequested(now: true), .diverted, .used, .selfShutdown(confirmed: false)],
      effects: [.disarm(.drain), .disarm(.look), .drainQueues, .requestHalt, .arm(.stop)], word: .deactivating),
    Row(
      says: "and needs not be told when it does",
      events: awake + [.sleepRequested(now: true), .diverted, .used, .selfShutdown(confirmed: true)],
      effects: [.disarm(.drain), .disarm(.look), .drainQueues, .arm(.stop)], word: .deactivating),
  ]
}
