/// A moment, in microseconds since 1970-01-01 UTC (CLOCK_REALTIME). In JSON it is a number, as in systemd's own interfaces.
public struct Timestamp: Hashable, Comparable, Sendable, Codable {
  /// Microseconds since 1970-01-01 UTC; negative for earlier moments.
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
  /// The moment that lies `sinceEpoch` after 1970-01-01 UTC, or the last or first one that there is.
  package init(sinceEpoch: Duration) {
    let (seconds, attoseconds) = sinceEpoch.components
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
    self.init(microseconds: overflow ? (seconds < 0 ? .min : .max) : whole)
    self = adding(attoseconds / 1_000_000_000_000)
  }

  /// Saturates: a guest file may ask for a span that no clock reaches.
  private func adding(_ span: Int64) -> Timestamp {
    let (sum, overflow) = microseconds.addingReportingOverflow(span)
    return Timestamp(microseconds: overflow ? (span < 0 ? .min : .max) : sum)
  }

  package static func + (time: Timestamp, span: Duration) -> Timestamp {
    time.adding(Timestamp(sinceEpoch: span).microseconds)
  }

  package static func - (time: Timestamp, span: Duration) -> Timestamp { time + (.zero - span) }
}
