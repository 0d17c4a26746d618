/// A rate limit: `burst` events at once, and one more each time that `interval` has passed.
///
/// Instants are time since boot (CLOCK_MONOTONIC).
public struct TokenBucket: Equatable, Sendable {
  private let burst: Int
  private let interval: Duration
  private var left: Int
  /// When the last token was added.
  private var filledAt: Duration

  /// A full bucket.
  public init(burst: Int, interval: Duration, at now: Duration) {
    self.burst = burst
    self.interval = interval
    left = burst
    filledAt = now
  }

  /// How many tokens there are now.
  public mutating func available(at now: Duration) -> Int {
    let room = burst - left
    let passed = max(now - filledAt, .zero)
    // A full bucket gains nothing, so the next token comes one interval after the first one is taken.
    if room <= 0 || passed >= interval * room {
      left = max(left, burst)
      filledAt = max(now, filledAt)
    } else {
      let gained = Int(passed / interval)
      left += gained
      filledAt += interval * gained
    }
    return left
  }

  /// Takes tokens. If it takes more than there are, the number becomes negative, and they are missing later.
  public mutating func take(_ count: Int) { left -= count }
}
