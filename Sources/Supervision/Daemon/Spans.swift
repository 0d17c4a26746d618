// Spans of time in words and numbers.
extension Duration {
  /// In milliseconds, with what is below them as a fraction.
  var milliseconds: Double {
    let (seconds, attoseconds) = components
    return Double(seconds) * 1000 + Double(attoseconds) / 1e15
  }

  /// `1.5 ms`, `340 ms`, `12 s`, `10 min`.
  var inWords: String {
    let ms = milliseconds
    if ms < 10 { return "\(Self.tenths(ms)) ms" }
    if ms < 1000 { return "\(Int(ms)) ms" }
    if ms < 120_000 { return "\(Self.tenths(ms / 1000)) s" }
    return "\(Int(ms) / 60_000) min"
  }

  private static func tenths(_ value: Double) -> String {
    let tenths = Int(value * 10)
    return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
  }
}
