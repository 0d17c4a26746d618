import Lifecycle
import Linux
import Systemd

/// The armed timers of the deadlines that `Lifecycle` asks for.
final class Deadlines {
  private let timers: any Timers
  private var running: [Timer: any ArmedTimer] = [:]

  init(_ timers: any Timers) { self.timers = timers }

  /// Calls `passed` once, after `delay`. A deadline that is armed already starts anew.
  ///
  /// - Throws: `SystemError` when there is no memory for a timer.
  func arm(_ timer: Timer, after delay: Duration, _ passed: @escaping () -> Void) throws(SystemError) {
    running[timer] = try timers.timer(after: delay) { [unowned self] in
      running[timer] = nil
      passed()
    }
  }

  func disarm(_ timer: Timer) { running.removeValue(forKey: timer)?.cancel() }
}
