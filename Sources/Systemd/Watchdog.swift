import Glibc
import Linux

/// Tells the service manager that the loop turns, so that it replaces a daemon that is stuck (`WatchdogSec=`).
///
/// It does so only while something runs that could block the loop. A service may change its own timeout (`WATCHDOG_USEC=`,
/// sd_notify(3)), and 0 ends the service manager's watch: a daemon whose guests are all asleep is not watched, has no timer, and is silent.
public final class Watchdog {
  private let manager: ServiceManager
  private let timers: any Timers
  /// After this long without a message the service manager ends the process.
  private let timeout: Duration
  private var timer: (any ArmedTimer)?
  /// Whether somebody wants the loop to be watched.
  private var isWanted = true

  /// Begins to send messages if the service manager expects them of this process: the unit's `WatchdogSec=` is in force from the start.
  ///
  /// - Returns: nil if it does not.
  public convenience init?(_ manager: ServiceManager, _ timers: any Timers) {
    if let process = Self.number("WATCHDOG_PID"), process != UInt64(getpid()) { return nil }
    guard let timeout = Self.number("WATCHDOG_USEC"), timeout > 0, let timeout = Int64(exactly: timeout) else {
      return nil
    }
    self.init(manager, timers, timeout: .microseconds(timeout))
  }

  init(_ manager: ServiceManager, _ timers: any Timers, timeout: Duration) {
    self.manager = manager
    self.timers = timers
    self.timeout = timeout
    arm()
  }

  private static func number(_ name: String) -> UInt64? { getenv(name).flatMap { UInt64(String(cString: $0)) } }

  /// Has the loop watched from now on.
  public func begin() {
    if isWanted { return }
    isWanted = true
    // It is still watched when the message that ends the watch could not be sent.
    if timer != nil { return }
    do throws(SystemError) {
      try manager.watch(every: timeout)
      arm()
    } catch {
      // It is not watched, which is no reason not to run.
    }
  }

  /// Ends the watch: nothing runs.
  public func end() {
    isWanted = false
    if timer != nil { endNow() }
  }

  private func endNow() {
    do throws(SystemError) {
      try manager.watch(every: .zero)
      timer = nil
    } catch {
      // The service manager goes on watching, so the messages go on until it has heard.
    }
  }

  private func arm() {
    do throws(SystemError) {
      // Twice in the time, as sd_watchdog_enabled(3) recommends; a moment later does no harm.
      timer = try timers.timer(after: timeout / 2, accuracy: timeout / 16) { [unowned self] in
        if isWanted { try? manager.turned() } else { endNow() }
        if timer != nil { arm() }
      }
    } catch {
      // Without a timer the daemon would be taken for stuck.
      timer = nil
      try? manager.watch(every: .zero)
    }
  }
}
