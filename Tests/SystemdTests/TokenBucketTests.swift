import Systemd
import Testing

@Suite("A token bucket")
struct TokenBucketTests {
  private static let start = Duration.seconds(100)

  @Test("a full bucket grants its burst, and then one token for each interval")
  func fills() {
    var bucket = TokenBucket(burst: 3, interval: .seconds(1), at: Self.start)
    #expect(bucket.available(at: Self.start) == 3)
    bucket.take(3)
    #expect(bucket.available(at: Self.start + .milliseconds(999)) == 0)
    #expect(bucket.available(at: Self.start + .seconds(1)) == 1)
    #expect(bucket.available(at: Self.start + .milliseconds(1999)) == 1)
    #expect(bucket.available(at: Self.start + .seconds(2)) == 2)
    #expect(bucket.available(at: Self.start + .seconds(1000)) == 3)
  }

  @Test("the first token comes an interval after it was taken from a full bucket, however long that was full")
  func full() {
    var bucket = TokenBucket(burst: 1, interval: .seconds(1), at: Self.start)
    let later = Self.start + .milliseconds(2500)
    #expect(bucket.available(at: later) == 1)
    bucket.take(1)
    #expect(bucket.available(at: later + .milliseconds(999)) == 0)
    #expect(bucket.available(at: later + .seconds(1)) == 1)
  }

  @Test("tokens that are taken beyond those that are there are owed")
  func owed() {
    var bucket = TokenBucket(burst: 2, interval: .seconds(1), at: Self.start)
    bucket.take(4)
    #expect(bucket.available(at: Self.start) == -2)
    #expect(bucket.available(at: Self.start + .seconds(2)) == 0)
    #expect(bucket.available(at: Self.start + .seconds(3)) == 1)
  }

  @Test("a clock that does not move, or a very long time, neither adds too much nor traps")
  func extremes() {
    var bucket = TokenBucket(burst: 2, interval: .milliseconds(1), at: Self.start)
    bucket.take(1)
    #expect(bucket.available(at: .zero) == 1)
    #expect(bucket.available(at: .seconds(Int64.max / 4)) == 2)
  }
}
