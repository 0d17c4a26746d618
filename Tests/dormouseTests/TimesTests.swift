import ControlProtocol
import Testing

@testable import dormouse

@Suite("Times for a person")
struct TimesTests {
  @Test(
    "a time span is printed in its two largest units",
    arguments: [
      (0, "0s"), (1, "1s"), (59, "59s"), (60, "1min"), (61, "1min 1s"), (192, "3min 12s"), (3600, "1h"), (3659, "1h"),
      (7500, "2h 5min"), (86_400, "1d"), (97_200, "1d 3h"), (31_557_600, "1y"), (.max, "584542046090y 228d"),
    ] as [(UInt64, String)])
  func spans(seconds: UInt64, text: String) {
    #expect(span(seconds: seconds) == text)
  }

  @Test(
    "a time is printed relative to now, in the past or in the future",
    arguments: [
      (0, "3min 12s ago"), (192_000_000, "now"), (192_999_999, "now"), (204_000_000, "in 12s"),
      (.min, "at an unknown time"),
      (.max, "in 292271y 8d"),
    ] as [(Int64, String)])
  func relative(microseconds: Int64, text: String) {
    #expect(Timestamp(microseconds: microseconds).relative(to: Timestamp(microseconds: 192_000_000)) == text)
  }

  @Test(
    "a duration is printed with at most one decimal place",
    arguments: [
      (0.04, "0.0 ms"), (1.26, "1.3 ms"), (411.004, "411 ms"), (2_540, "2.5 s"), (192_400, "3min 12s"),
      (.infinity, "292271023045y 114d"), (.nan, "292271023045y 114d"),
    ] as [(Double, String)])
  func durations(milliseconds: Double, text: String) {
    #expect(duration(milliseconds: milliseconds) == text)
  }
}
