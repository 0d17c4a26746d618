import ControlProtocol
import Testing

@Suite("A moment")
struct TimestampTests {
  private static let moment = Timestamp(microseconds: 1_800_000_000_000_000)

  @Test("plus or minus a span is the moment that far away")
  func sums() {
    #expect(Self.moment + .milliseconds(1500) == Timestamp(microseconds: 1_800_000_001_500_000))
    #expect(Self.moment - .microseconds(1) == Timestamp(microseconds: 1_799_999_999_999_999))
    #expect(Timestamp(sinceEpoch: .seconds(-1)) == Timestamp(microseconds: -1_000_000))
  }

  @Test("plus or minus a span that no clock reaches is the last or the first moment there is")
  func saturates() {
    for seconds: Int64 in [9_223_372_036_854, 9_223_372_036_855, .max] {
      #expect(Self.moment + .seconds(seconds) == Timestamp(microseconds: .max))
      #expect(Timestamp(microseconds: -1_800_000_000_000_000) - .seconds(seconds) == Timestamp(microseconds: .min))
    }
  }
}
