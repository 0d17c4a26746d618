import ControlProtocol
import Glibc
import Linux

extension Timestamp {
  /// The present moment, by CLOCK_REALTIME.
  static var now: Timestamp { Timestamp(sinceEpoch: Clocks.realtime) }

  /// The time relative to `now`: `3min 12s ago`, `in 12s`, `now`.
  func relative(to now: Timestamp) -> String {
    let (distance, overflow) = now.microseconds.subtractingReportingOverflow(microseconds)
    if overflow { return "at an unknown time" }
    let seconds = distance.magnitude / 1_000_000
    if seconds == 0 { return "now" }
    return distance > 0 ? "\(span(seconds: seconds)) ago" : "in \(span(seconds: seconds))"
  }

  /// The local time in the format of systemctl: `Tue 2026-11-24 03:40:11 UTC`.
  var localTime: String {
    var seconds = time_t(microseconds / 1_000_000)
    var parts = tm()
    localtime_r(&seconds, &parts)
    var text = [CChar](repeating: 0, count: 64)
    let length = strftime(&text, text.count, "%a %F %T %Z", &parts)
    return String(decoding: text[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
