/// The keys that lead away from a guest's terminal, as from systemd-nspawn's: Ctrl-] three times within a second.
struct DetachSequence {
  private static let key: UInt8 = 0x1D
  private static let count = 3
  /// When it was pressed without another key in between.
  private var presses: [Duration] = []

  /// Takes in what was typed.
  ///
  /// - Parameters:
  ///   - bytes: in the order in which they were typed.
  ///   - now: the time, on a clock that only goes forward.
  /// - Returns: how many of the bytes come before the last press, when they complete the sequence; nil when they do not.
  mutating func complete(with bytes: [UInt8], at now: Duration) -> Int? {
    for (index, byte) in bytes.enumerated() {
      presses = byte == Self.key ? presses.filter { now - $0 <= .seconds(1) } + [now] : []
      if presses.count == Self.count { return index }
    }
    return nil
  }
}
