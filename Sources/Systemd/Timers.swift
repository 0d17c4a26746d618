import Linux

/// Where timers come from: the event loop, or in a test a clock that is turned by hand.
///
/// Used on one thread only, like the event loop.
public protocol Timers: AnyObject {
  /// The time since boot (CLOCK_MONOTONIC).
  var now: Duration { get }

  /// Calls `handler` once, `delay` from now, and up to `accuracy` later, unless the timer is cancelled or released before.
  ///
  /// - Throws: `SystemError` when there is no memory or descriptor for a timer.
  func timer(
    after delay: Duration, accuracy: Duration, _ handler: @escaping () -> Void
  ) throws(SystemError) -> any ArmedTimer
}

extension Timers {
  /// As `timer(after:accuracy:_:)`, to the millisecond.
  public func timer(after delay: Duration, _ handler: @escaping () -> Void) throws(SystemError) -> any ArmedTimer {
    try timer(after: delay, accuracy: .milliseconds(1), handler)
  }
}

/// A timer that has not fired yet. It is cancelled with its last reference.
public protocol ArmedTimer: AnyObject {
  func cancel()
}

extension EventSource: ArmedTimer {}

extension EventLoop: Timers {
  public var now: Duration { Clocks.monotonic }

  public func timer(
    after delay: Duration, accuracy: Duration, _ handler: @escaping () -> Void
  ) throws(SystemError) -> any ArmedTimer {
    try after(delay, accuracy: accuracy, handler: handler)
  }
}
