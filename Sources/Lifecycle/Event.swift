/// What can happen to a guest.
public enum Event: Equatable, Sendable {
  /// The daemon takes the guest on.
  case hold
  /// The daemon takes the guest on and finds it running: an earlier daemon died without it.
  case holdRunning
  /// The listeners are open: the answer to `holdListeners`.
  case held
  /// They could not be opened, or could not be watched.
  case holdFailed
  /// One of the watched listeners is readable.
  case connection
  /// Somebody asks for the guest: `dormouse wake`.
  case wakeRequested
  /// PID 1 exists: the answer to `start`.
  case started
  /// It could not be made; nothing of the guest runs.
  case startFailed
  /// PID 1 says READY=1, or needs not say it.
  case ready
  /// `TimeoutStartSec=` is over.
  case startTimedOut
  /// The guest has been ready for a while, or asleep with nobody at its door.
  case steady
  /// Nobody has used the guest for `IdleStopSec=`.
  case idle
  /// Nobody has used the guest for `IdleFreezeSec=`, or somebody asks for it: `dormouse freeze`.
  case freezeDue
  /// Every process of the guest is frozen: the answer to `freeze`.
  case frozen
  /// It could not be frozen, or not in time (`Timer.freeze`).
  case freezeFailed
  /// Somebody uses the frozen guest, or it has been frozen for as long as may be.
  case stirred
  /// New clients wait apart from the guest: the answer to `closeGate`.
  case gateClosed
  /// There was nothing left (descriptors, memory) to make a place for them.
  case gateFailed
  /// Somebody uses the guest by its own listeners: an answer to `lookAgain`.
  case used
  /// Nobody does: the other one.
  case unused
  /// It is time to look again (`Timer.look`).
  case lookDue
  /// Those who use the guest have been waited for long enough (`Timer.drain`).
  case drainTimedOut
  /// PID 1 says that it is shutting down, and nobody told it to; or what it says then and may say otherwise too.
  case leaving(surely: Bool)
  /// PID 1 says what it does not say while it shuts down.
  case staying
  /// Somebody asks for the guest to stop: `dormouse sleep`; with `now` although it is in use.
  case sleepRequested(now: Bool)
  /// The guest let go of a listener on which clients wait (its socket unit failed, for example by its trigger limit).
  case listenerClosed
  /// PID 1 is gone, and everything in its cgroup with it.
  case exited(Exit)
  /// `TimeoutStopSec=` is over.
  case stopTimedOut
  /// The pause after a failure is over.
  case pauseOver
  /// The guest's file changed; what runs goes on as it was started.
  case changed
  /// The guest's file is gone, or the daemon ends.
  case release
}

/// How a guest ended.
public enum Exit: Equatable, Sendable, CaseIterable {
  /// It powered itself off, halted or exited with 0.
  case poweredOff
  /// It asked for a reboot.
  case rebooted
  /// Anything else: killed, exited with a failure, or nobody knows.
  case crashed
}
