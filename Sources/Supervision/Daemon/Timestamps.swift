import ControlProtocol
import Linux

extension Timestamp {
  /// By CLOCK_REALTIME.
  public static var now: Timestamp { Timestamp(Clocks.realtime) }

  /// A span since 1970.
  private init(_ sinceEpoch: Duration) {
    let (seconds, attoseconds) = sinceEpoch.components
    self.init(microseconds: seconds * 1_000_000 + attoseconds / 1_000_000_000_000)
  }

  static func + (time: Timestamp, span: Duration) -> Timestamp {
    Timestamp(microseconds: time.microseconds + Timestamp(span).microseconds)
  }

  static func - (time: Timestamp, span: Duration) -> Timestamp { time + (.zero - span) }
}
