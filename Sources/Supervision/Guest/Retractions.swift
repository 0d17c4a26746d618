/// How often an instance seemed to shut down and did not.
///
/// PID 1 reports the beginning of a shutdown in texts that may mean something else. Each time the clients are parked, which costs the
/// daemon time and keeps the guest from falling asleep. After `limit` such reports the daemon ignores uncertain ones.
struct Retractions {
  private(set) var count = 0

  static let limit = 3

  mutating func record() { count += 1 }

  /// Whether the limit is reached, so that only certain reports count from now on.
  var areTooMany: Bool { count >= Self.limit }

  /// The intent that counts: nil for an uncertain one after too many retractions.
  func judge(_ intent: Intent?) -> Intent? {
    intent == .shutdown(confirmed: false) && areTooMany ? nil : intent
  }
}
