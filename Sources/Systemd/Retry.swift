import Linux

/// An action that failed and is tried again after a pause.
///
/// It is for failures whose end the kernel does not announce: too few descriptors, too little memory, a full queue. The pause keeps
/// the loop from spinning meanwhile. At most one attempt is pending; it ends with ``cancel()`` or with the last reference to the retry.
/// Used on the loop's thread only.
public final class Retry {
  private let timers: any Timers
  private let pause: Duration
  private let accuracy: Duration
  private var timer: (any ArmedTimer)?

  /// Makes a retry with nothing pending. A later attempt comes `pause` after it was scheduled, and up to `accuracy` later, so that it
  /// can share a wake-up with others.
  public init(_ timers: any Timers, after pause: Duration = .seconds(1), accuracy: Duration = .milliseconds(100)) {
    self.timers = timers
    self.pause = pause
    self.accuracy = accuracy
  }

  /// Whether an attempt is scheduled and has not begun.
  public var isPending: Bool { timer != nil }

  /// Calls `action` once, after the pause. The action may schedule the next attempt.
  ///
  /// An attempt that is pending stays as it is, and `action` is dropped: two failures with one cause need one attempt.
  ///
  /// - Throws: `SystemError` when there is no memory for a timer. No attempt is pending then.
  public func schedule(_ action: @escaping () -> Void) throws(SystemError) {
    if timer != nil { return }
    timer = try timers.timer(after: pause, accuracy: accuracy) { [unowned self] in
      // Before the action, which may schedule the next attempt or release the retry.
      timer = nil
      action()
    }
  }

  /// Drops the pending attempt, if there is one.
  public func cancel() {
    timer?.cancel()
    timer = nil
  }
}
