import ControlProtocol

/// What woke a guest: the reason for a start.
struct Trigger {
  var cause: WakeCause
  /// The address whose connection or datagram it was.
  var socket: String?
  /// When it happened, as time since boot.
  var at: Duration
  /// The start was delayed by a preparation, which is done: the wake has been logged and counted.
  var isPrepared = false
}
