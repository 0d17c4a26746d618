import ControlProtocol

/// What woke a guest: the reason for a start.
struct Trigger {
  var cause: WakeCause
  /// The address whose connection or datagram it was.
  var socket: String?
  /// When it happened, as time since boot.
  var at: Duration
}
