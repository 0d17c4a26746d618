import GuestSpec
import Systemd

/// The log messages about one guest. Their rate is limited, so that a guest that causes many of them does not push the messages about
/// others out of the journal.
struct GuestLog {
  private let log: Log
  private let guest: String
  private var bucket: TokenBucket
  private var dropped = 0

  /// More than an ordinary guest causes in an hour.
  static let burst = 500
  static let interval = Duration.milliseconds(100)

  init(_ log: Log, of guest: String, at now: Duration) {
    self.log = log
    self.guest = guest
    bucket = TokenBucket(burst: Self.burst, interval: Self.interval, at: now)
  }

  /// - Returns: false when the limit was reached, and the message was dropped.
  mutating func write(_ message: Message, of instance: InstanceName?, at now: Duration) -> Bool {
    if bucket.available(at: now) <= 0 {
      dropped += 1
      return false
    }
    bucket.take(1)
    if dropped > 0 { log.write(.linesDropped(count: dropped), guest: guest, instance: instance) }
    dropped = 0
    log.write(message, guest: guest, instance: instance)
    return true
  }
}
