/// A moment, in microseconds since 1970-01-01 UTC (CLOCK_REALTIME); in JSON the bare number, as systemd writes its own.
public struct Timestamp: Hashable, Comparable, Sendable, Codable {
  /// Since 1970-01-01 UTC; negative before.
  public var microseconds: Int64

  public init(microseconds: Int64) { self.microseconds = microseconds }

  public init(from decoder: any Decoder) throws {
    microseconds = try decoder.singleValueContainer().decode(Int64.self)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(microseconds)
  }

  public static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }
}

extension Timestamp {
  /// The moment that lies `sinceEpoch` after 1970-01-01 UTC; the last one that there is, where that would lie beyond it.
  package init(sinceEpoch: Duration) {
    let (seconds, attoseconds) = sinceEpoch.components
    let (microseconds, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
    let limit = seconds < 0 ? Int64.min : .max
    self.init(microseconds: overflow ? limit : microseconds.saturating(adding: attoseconds / 1_000_000_000_000))
  }

  /// The first or the last moment that there is, where the sum would lie beyond it: a guest file may ask for any span.
  package static func + (time: Timestamp, span: Duration) -> Timestamp {
    Timestamp(microseconds: time.microseconds.saturating(adding: Timestamp(sinceEpoch: span).microseconds))
  }

  package static func - (time: Timestamp, span: Duration) -> Timestamp { time + (.zero - span) }
}

extension Int64 {
  fileprivate func saturating(adding other: Int64) -> Int64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? (other < 0 ? .min : .max) : sum
  }
}
