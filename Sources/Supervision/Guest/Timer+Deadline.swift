import GuestSpec
import Lifecycle

extension Timer {
  /// How long the clients of a draining guest may take to finish, and the time between two scans meanwhile.
  private static let drainPatience = Duration.seconds(2)
  private static let drainPause = Duration.milliseconds(10)
  /// Only a process that waits for a disk or a network file system takes longer to freeze.
  private static let freezePatience = Duration.seconds(2)

  /// How long the timer takes, and the event at its end. The time is nil when the guest's file sets no limit.
  func deadline(_ policy: GuestSettings) -> (delay: Duration?, event: Event) {
    switch self {
    case .start: (policy.timeoutStart, .startTimedOut)
    case .stop: (policy.timeoutStop, .stopTimedOut)
    case .rescan: (Self.drainPause, .rescanDue)
    case .drain: (Self.drainPatience, .drainTimedOut)
    case .freeze: (Self.freezePatience, .freezeFailed)
    case .stable: (Backoff.stableAfter, .stable(served: true))
    case .pause(let failures): (Backoff.pause(afterFailures: failures), .pauseOver)
    }
  }
}
