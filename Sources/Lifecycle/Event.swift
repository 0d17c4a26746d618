/// What can happen to a guest.
public enum Event: Equatable, Sendable {
  /// The daemon starts to manage the guest, and no instance of it runs.
  case bind
  /// The daemon starts to manage the guest, and an instance that an earlier daemon started still runs.
  case adopt
  /// The listeners are open: an answer to `bindListeners`.
  case bound
  /// A listener cannot be opened, or cannot be watched: an answer to `bindListeners` and `watchListeners`.
  case bindFailed
  /// One of the watched listeners is readable. The guest had been asleep for `quietFor` before that.
  case connection(quietFor: Duration)
  /// Somebody asks for the guest: `dormouse wake`.
  case wakeRequested
  /// Somebody asks for a frozen guest to be thawed: `dormouse thaw`.
  case thawRequested
  /// The guest may start, because fewer than `MaxConcurrentStarts=` guests are starting: the answer to `requestPlace`, which may come
  /// later.
  case placeGranted
  /// PID 1 exists: an answer to `start`, which may come later.
  case started
  /// PID 1 could not be made, or the preparation of a delayed start failed; nothing of the guest runs. The other answer to `start`.
  case startFailed
  /// PID 1 cannot be made before a preparation that takes longer than a start may, such as a change of owners: the third answer to `start`.
  case startDelayed
  /// The preparation of a delayed start is complete, so the guest can be started again.
  case prepared
  /// PID 1 sent READY=1, or is not expected to.
  case ready
  /// `TimeoutStartSec=` has passed.
  case startTimedOut
  /// The guest has been ready for `Backoff.stableAfter`. Unless `served`, clients wait and it has accepted none since its start.
  case stable(served: Bool)
  /// Nobody has used the guest for `IdleStopSec=`. Unless `served`, its queue holds clients that have left, and it has accepted none since
  /// its start.
  case idle(served: Bool)
  /// Nobody has used the guest for `IdleFreezeSec=`.
  case freezeDue
  /// Somebody asks for the guest to be frozen: `dormouse freeze`. `inUse`: somebody uses it.
  case freezeRequested(now: Bool, inUse: Bool)
  /// Some processes of the guest are not frozen yet: an answer to `freeze`.
  case freezeDelayed
  /// Every process of the guest is frozen: an answer to `freeze`, which may come later.
  case frozen
  /// The guest could not be frozen, or not in time.
  case freezeFailed
  /// Somebody uses the frozen guest, it has been frozen for as long as it may be, or it cannot be watched.
  case activity
  /// New clients are parked at the standby listeners: an answer to `divert`.
  case diverted
  /// New clients cannot be parked, for want of descriptors or memory: the other answer.
  case divertFailed
  /// Somebody uses the guest: an answer to `scan`.
  case used
  /// Nobody uses the guest: an answer to `scan`.
  case unused
  /// Nobody uses the guest, but its queue holds clients that have left and were not accepted, which keep the listener readable, so that a
  /// frozen guest would be thawed at once: an answer to `scan`.
  case leftOver
  /// The kernel does not tell whether somebody uses the guest: an answer to `scan`.
  case scanFailed
  /// It is time to scan again.
  case rescanDue
  /// The clients of a draining guest have not finished in time.
  case drainTimedOut
  /// PID 1 reports that it shuts down although Dormouse did not tell it to. Unless `confirmed`, its message may mean something else.
  case selfShutdown(confirmed: Bool)
  /// PID 1 reports something that it does not report while it shuts down.
  case shutdownAborted
  /// Somebody asks for the guest to stop: `dormouse sleep`, with `now` even if it is used. `inUse`: somebody uses it.
  case sleepRequested(now: Bool, inUse: Bool)
  /// Clients wait at a standby listener that this instance does not have, and it keeps running.
  case parkedTooLong
  /// The guest closed a listener while clients waited there, for example because its socket unit failed.
  case listenerClosed
  /// PID 1 and every other process in the guest's cgroup have ended.
  case exited(Exit)
  /// `TimeoutStopSec=` has passed.
  case stopTimedOut
  /// PID 1 has no handler for the guest's `KillSignal=`, so the kernel drops the signal: an answer to `requestHalt`.
  case haltUnheard
  /// Kill what still runs: the daemon got a second SIGTERM.
  case killRequested
  /// The pause after a failure has passed.
  case pauseOver
  /// The guest's files changed. An instance that runs is not affected.
  case changed
  /// Stop the guest for good: its file is gone, or the daemon ends.
  case release(HaltCause)
}

/// How an instance ended.
public enum Exit: Equatable, Sendable, CaseIterable {
  /// It powered itself off, halted, or exited with status 0.
  case poweredOff
  /// It asked for a reboot.
  case rebooted
  /// Anything else: killed, exited with a failure, or unknown.
  case crashed
}

/// Why Dormouse stops a guest.
public enum HaltCause: Equatable, Sendable, CaseIterable {
  /// Nobody used it for `IdleStopSec=`.
  case idle
  /// Somebody asked for it.
  case request
  /// It was not ready within `TimeoutStartSec=`.
  case startTimeout
  /// It closed a listener at which clients waited.
  case listenerClosed
  /// Clients waited at a listener that only the next instance gets.
  case parkedTooLong
  /// The daemon ends, or the daemon that started it has ended.
  case daemon
  /// Its file is gone.
  case configuration
}
