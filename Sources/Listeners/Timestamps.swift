import ControlProtocol
import Linux

extension Timestamp {
  /// The present moment, by CLOCK_REALTIME.
  package static var now: Timestamp { Timestamp(sinceEpoch: Clocks.realtime) }
}
