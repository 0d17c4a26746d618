/// How often an instance seemed to shut down and did not.
///
/// PID 1 reports the beginning of a shutdown in words that may mean something else. Each time clients are parked, which costs the daemon
/// time and keeps the guest from falling asleep. A guest that only seems to shut down again and again is not believed any more.
struct Retractions {
  private(set) var count = 0

  static let limit = 3

  mutating func record() { count += 1 }

  /// Whether this was one too many: only a certain report counts from now on.
  var areTooMany: Bool { count >= Self.limit }

  /// What is made of a message that means this.
  func judge(_ intent: Intent?) -> Intent? {
    intent == .shutdown(confirmed: false) && areTooMany ? nil : intent
  }
}
