// Spans of time in words and numbers, for the log and the command line.
extension Duration {
  /// The span in milliseconds, with a fraction.
  public var milliseconds: Double {
    let (seconds, attoseconds) = components
    return Double(seconds) * 1000 + Double(attoseconds) / 1e15
  }

  /// The span as `duration(milliseconds:)` words it.
  public var inWords: String { duration(milliseconds: milliseconds) }
}

/// A span in systemd's units, the largest that fits and the next smaller one: `3min 12s`, `2h 5min`, `1d`.
public func span(seconds: UInt64) -> String {
  let units: [(name: String, size: UInt64)] = [("y", 31_557_600), ("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)]
  guard let first = units.firstIndex(where: { $0.size <= seconds }) else { return "0s" }
  let text = "\(seconds / units[first].size)\(units[first].name)"
  let next = first + 1
  if next == units.count || seconds % units[first].size < units[next].size { return text }
  return "\(text) \(seconds % units[first].size / units[next].size)\(units[next].name)"
}

/// Milliseconds in the unit that suits their size: `0.4 ms`, `411 ms`, `2.5 s`.
public func duration(milliseconds: Double) -> String {
  switch milliseconds {
  case ..<10: "\(rounded(milliseconds)) ms"
  case ..<1000: "\(whole(milliseconds)) ms"
  case ..<60_000: "\(rounded(milliseconds / 1000)) s"
  default: span(seconds: UInt64(clamping: whole(milliseconds / 1000)))
  }
}

private func rounded(_ value: Double) -> Double { (value * 10).rounded() / 10 }

private func whole(_ value: Double) -> Int64 { Int64(exactly: value.rounded()) ?? .max }
