import Glibc
import Linux

/// Tells the service manager again and again that the event loop is not blocked, so that a stuck daemon is replaced (`WatchdogSec=`).
///
/// It does so only while a guest runs, because nothing else could block the loop. A service may change its own timeout (`WATCHDOG_USEC=`,
/// sd_notify(3)), and 0 ends the service manager's watch: a daemon whose guests are all asleep is not watched, and needs no timer.
public final class Watchdog {
  private let manager: ServiceManager
  private let timers: any Timers
  /// After this long without a message the service manager ends the process.
  private let timeout: Duration
  private var timer: (any ArmedTimer)?
  /// Whether the watch is wanted, between `begin` and `end`.
  private var isWanted = true

  /// Begins to send messages if the service manager expects them of this process: the unit's `WatchdogSec=` is in force from the start.
  ///
  /// - Returns: nil if the service manager does not expect messages.
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

  /// Begins the watch of the loop.
  public func begin() {
    if isWanted { return }
    isWanted = true
    // The watch still runs if the message that ends it could not be sent.
    if timer != nil { return }
    do throws(SystemError) {
      try manager.watch(every: timeout)
      arm()
    } catch {
      // Without the watch the daemon runs all the same.
    }
  }

  /// Ends the watch, because no guest runs.
  public func end() {
    isWanted = false
    if timer != nil { endNow() }
  }

  private func endNow() {
    do throws(SystemError) {
      try manager.watch(every: .zero)
      timer = nil
    } catch {
      // The service manager still watches, so the messages go on until this one is sent.
    }
  }

  private func arm() {
    do throws(SystemError) {
      // Twice in the timeout, as sd_watchdog_enabled(3) recommends, so some delay does no harm.
      timer = try timers.timer(after: timeout / 2, accuracy: timeout / 16) { [unowned self] in
        if isWanted { try? manager.turned() } else { endNow() }
        if timer != nil { arm() }
      }
    } catch {
      // Without a timer no messages would follow, and the daemon would be ended as stuck.
      timer = nil
      try? manager.watch(every: .zero)
    }
  }
}
