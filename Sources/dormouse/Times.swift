import ControlProtocol
import Glibc
import Linux

extension Timestamp {
  /// CLOCK_REALTIME.
  static var now: Timestamp {
    let (seconds, attoseconds) = Clocks.realtime.components
    return Timestamp(microseconds: seconds * 1_000_000 + attoseconds / 1_000_000_000_000)
  }

  /// `3min 12s ago`, `in 12s`, `now`.
  func relative(to now: Timestamp) -> String {
    let (distance, overflow) = now.microseconds.subtractingReportingOverflow(microseconds)
    if overflow { return "at an unknown time" }
    let seconds = distance.magnitude / 1_000_000
    if seconds == 0 { return "now" }
    return distance > 0 ? "\(span(seconds: seconds)) ago" : "in \(span(seconds: seconds))"
  }

  /// The local time, as systemctl prints it: `Tue 2026-11-24 03:40:11 UTC`.
  var localTime: String {
    var seconds = time_t(microseconds / 1_000_000)
    var parts = tm()
    localtime_r(&seconds, &parts)
    var text = [CChar](repeating: 0, count: 64)
    let length = strftime(&text, text.count, "%a %F %T %Z", &parts)
    return String(decoding: text[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}

/// A span in systemd's units, the largest that counts and the next: `3min 12s`, `2h 5min`, `1d`.
func span(seconds: UInt64) -> String {
  let units: [(name: String, size: UInt64)] = [("y", 31_557_600), ("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)]
  guard let first = units.firstIndex(where: { $0.size <= seconds }) else { return "0s" }
  let text = "\(seconds / units[first].size)\(units[first].name)"
  let next = first + 1
  if next == units.count || seconds % units[first].size < units[next].size { return text }
  return "\(text) \(seconds % units[first].size / units[next].size)\(units[next].name)"
}

/// Milliseconds as a person reads them: `0.4 ms`, `411 ms`, `2.5 s`.
func duration(milliseconds: Double) -> String {
  switch milliseconds {
  case ..<10: "\(rounded(milliseconds)) ms"
  case ..<1000: "\(whole(milliseconds)) ms"
  case ..<60_000: "\(rounded(milliseconds / 1000)) s"
  default: span(seconds: UInt64(clamping: whole(milliseconds / 1000)))
  }
}

private func rounded(_ value: Double) -> Double { (value * 10).rounded() / 10 }

private func whole(_ value: Double) -> Int64 { Int64(exactly: value.rounded()) ?? .max }
