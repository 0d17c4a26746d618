import GuestSpec
import Systemd

/// The log messages about one guest: what it does again and again must not push out what others did, so they are limited.
struct GuestLog {
  private let log: Log
  private let guest: String
  private var bucket: TokenBucket
  private var dropped = 0

  /// More than an hour of an ordinary guest's life has.
  static let burst = 500
  static let interval = Duration.milliseconds(100)

  init(_ log: Log, of guest: String, at now: Duration) {
    self.log = log
    self.guest = guest
    bucket = TokenBucket(burst: Self.burst, interval: Self.interval, at: now)
  }

  /// - Returns: false when the guest has filled its share, and the message was dropped.
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
