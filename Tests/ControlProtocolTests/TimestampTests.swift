import Testing

@testable import ControlProtocol

@Suite("Moments and spans")
struct TimestampTests {
  @Test("A span after a moment is another moment, to the microsecond")
  func sums() {
    let moment = Timestamp(sinceEpoch: .seconds(1_800_000_000) + .microseconds(5))
    #expect(moment.microseconds == 1_800_000_000_000_005)
    #expect((moment + .milliseconds(2)).microseconds == 1_800_000_000_002_005)
    #expect((moment - .seconds(1_800_000_001)).microseconds == -999_995)
  }

  @Test("A span of any length that a guest file may ask for leads to the last moment, and does not end the daemon")
  func longest() {
    let moment = Timestamp(microseconds: 1_800_000_000_000_000)
    for span in [Duration.seconds(Int64.max), .seconds(Int64.max / 1_000_000), .seconds(1 << 62)] {
      #expect(moment + span == Timestamp(microseconds: .max))
      #expect(Timestamp(microseconds: .min) - span == Timestamp(microseconds: .min))
    }
    #expect(Timestamp(sinceEpoch: .seconds(Int64.min)) == Timestamp(microseconds: .min))
  }
}
