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
