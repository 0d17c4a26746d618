@testable import Lifecycle

// Rows about guests that shut down by themselves, or seem to.
extension LifecycleTableTests {
  /// New clients are parked, also those in the guest's queues, while it is quiesced.
  static let quiesced: [Effect] = [.quiesce, .divert(.all), .drainQueues, .resume, .arm(.stop)]
  static let servesAgain: [Effect] = [.restore, .disarm(.start), .arm(.stable), .watchIdleness]

  static let selfShutdownRows: [Row] = [
    Row(
      says: "a guest that says it shuts down gets no new clients from then on",
      events: awake + [.selfShutdown(confirmed: true)], effects: [.disarm(.stable), .unwatchIdleness] + quiesced,
      word: .deactivating),
    Row(
      says: "a guest that seems to shut down gets no new clients either",
      events: awake + [.selfShutdown(confirmed: false)], effects: [.disarm(.stable), .unwatchIdleness] + quiesced,
      word: .deactivating),
    Row(
      says: "a guest that shut down by itself has its listeners bound for its next start",
      events: awake + [.selfShutdown(confirmed: false), .exited(.rebooted)],
      effects: [.disarm(.stop), .unpark, .bindListeners], word: .inactive),
    Row(
      says: "a guest that said it shuts down and does not is killed",
      events: awake + [.selfShutdown(confirmed: false), .selfShutdown(confirmed: true), .stopTimedOut],
      effects: [.kill(.stopTimeout)], word: .deactivating),
    Row(
      says: "a guest that only seemed to shut down is not killed, and serves again",
      events: awake + [.selfShutdown(confirmed: false), .stopTimedOut], effects: servesAgain, word: .active),
    Row(
      says: "a guest serves again at once when it says what a guest that shuts down does not say",
      events: awake + [.selfShutdown(confirmed: false), .shutdownAborted],
      effects: [.disarm(.stop)] + servesAgain, word: .active),
    Row(
      says: "a guest that seemed to shut down serves again when it says that it is ready",
      events: awake + [.selfShutdown(confirmed: false), .ready],
      effects: [.disarm(.stop)] + servesAgain, word: .active),
    Row(
      says: "a confirmed shutdown is not believed to be aborted",
      events: awake + [.selfShutdown(confirmed: true), .shutdownAborted], effects: [], word: .deactivating),
    Row(
      says: "a guest that shuts down before it is ready gets no new clients either",
      events: starting + [.selfShutdown(confirmed: true)], effects: [.disarm(.start)] + quiesced, word: .deactivating),
    Row(
      says: "a guest that reboots before it is ready starts again",
      events: starting + [.selfShutdown(confirmed: true), .exited(.rebooted), .bound],
      effects: [.arm(.start), .start], word: .activating),
    Row(
      says: "a guest that shut down before it was ready pauses, for it has not served",
      events: starting + [.selfShutdown(confirmed: true), .exited(.poweredOff)],
      effects: [.disarm(.stop), .unpark, .arm(.pause(failures: 1))], word: .failed),
    Row(
      says: "a guest that only seemed to shut down before it was ready has its deadline again",
      events: starting + [.selfShutdown(confirmed: false), .shutdownAborted],
      effects: [.disarm(.stop), .restore, .arm(.start)], word: .activating),
    Row(
      says: "a guest that has to go and seems to shut down is told to halt at once",
      events: awake + [stopNow, .diverted, .used, .selfShutdown(confirmed: false)],
      effects: endOfDrain + requested(.request), word: .deactivating),
    Row(
      says: "a guest that has to go and shuts down by itself need not be told",
      events: awake + [stopNow, .diverted, .used, .selfShutdown(confirmed: true)],
      effects: endOfDrain + [.drainQueues, .arm(.stop)], word: .deactivating),
  ]
}
