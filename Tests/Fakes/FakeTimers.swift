import Linux
import Systemd

/// A clock that is turned by hand, and timers that fire when it is.
package final class FakeTimers: Timers {
  private final class Armed: ArmedTimer {
    let due: Duration
    let handler: () -> Void
    var isCancelled = false

    init(due: Duration, handler: @escaping () -> Void) { (self.due, self.handler) = (due, handler) }

    func cancel() { isCancelled = true }
  }

  private struct Reference {
    weak var timer: Armed?
  }

  package private(set) var now = Duration.seconds(1000)
  /// Like an event loop's, a timer ends with its last reference.
  private var armed: [Reference] = []
  /// What every new timer fails with.
  package var failure: SystemError?

  package init() {}

  package func timer(
    after delay: Duration, accuracy: Duration, _ handler: @escaping () -> Void
  ) throws(SystemError) -> any ArmedTimer {
    if let failure { throw failure }
    let timer = Armed(due: now + delay, handler: handler)
    armed.append(Reference(timer: timer))
    return timer
  }

  /// When the next timer fires, from now.
  package var next: Duration? {
    armed.compactMap(\.timer).filter { !$0.isCancelled }.map(\.due).min().map { $0 - now }
  }

  /// Lets the time pass; what falls due meanwhile fires at its moment.
  package func advance(by span: Duration) {
    let end = now + span
    while let timer = armed.compactMap(\.timer).filter({ !$0.isCancelled && $0.due <= end }).min(by: { $0.due < $1.due }
    ) {
      now = max(now, timer.due)
      timer.isCancelled = true
      timer.handler()
    }
    now = end
    armed.removeAll { $0.timer?.isCancelled != false }
  }
}
