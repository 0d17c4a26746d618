/// Detects the keys that disconnect from the terminal of a guest, as with systemd-nspawn: Ctrl-] three times within a second.
struct DetachSequence {
  private static let key: UInt8 = 0x1D
  private static let count = 3
  /// The times of the last presses of Ctrl-] without another key in between.
  private var presses: [Duration] = []

  /// Processes input.
  ///
  /// - Parameters:
  ///   - bytes: the bytes in the order in which they were typed.
  ///   - now: the time of a monotonic clock.
  /// - Returns: the number of bytes before the key that completes the sequence; nil when it is not complete.
  mutating func complete(with bytes: [UInt8], at now: Duration) -> Int? {
    for (index, byte) in bytes.enumerated() {
      presses = byte == Self.key ? presses.filter { now - $0 <= .seconds(1) } + [now] : []
      if presses.count == Self.count { return index }
    }
    return nil
  }
}
