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
  /// The moment that lies `sinceEpoch` after 1970-01-01 UTC.
  package init(sinceEpoch: Duration) {
    let (seconds, attoseconds) = sinceEpoch.components
    self.init(microseconds: seconds * 1_000_000 + attoseconds / 1_000_000_000_000)
  }

  package static func + (time: Timestamp, span: Duration) -> Timestamp {
    Timestamp(microseconds: time.microseconds + Timestamp(sinceEpoch: span).microseconds)
  }

  package static func - (time: Timestamp, span: Duration) -> Timestamp { time + (.zero - span) }
}
