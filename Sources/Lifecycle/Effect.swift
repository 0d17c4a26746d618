/// What the daemon has to do about an event. `Supervisor.perform(_:)` is the only interpreter.
public enum Effect: Equatable, Sendable {
  /// Open the listeners that are not open, and repair those that an instance changed; answers with `bound` or `bindFailed`.
  case bindListeners
  /// Watch the listeners: `connection` says that a client came. Answers with `bindFailed` when they cannot be watched.
  case watchListeners
  /// Stop watching them. From here on only the guest accepts.
  case unwatchListeners
  /// Close the daemon's descriptors of the listeners, for good.
  case unbindListeners
  /// Refuse the clients that wait or come, until `unwatchListeners`.
  case refuseClients
  /// Ask for a place among the guests that may start at once; answers with `placeGranted`, perhaps later.
  case requestPlace
  /// Make PID 1; answers with `started` or `startFailed`, perhaps later, or with `startDelayed` at once.
  case start
  /// End the preparation of a delayed start.
  case abandonPreparation
  /// Park new clients at the standby listeners; answers with `diverted` or `divertFailed`, perhaps later.
  case divert(Divertible)
  /// The instance keeps running: steer new clients to its listeners again, and move the parked ones there.
  case restore
  /// The instance has ended: make its parked clients those of the next one.
  case unpark
  /// Scan the kernel's tables of sockets; answers with `used`, `unused`, `leftOver` or `scanFailed`.
  case scan(Question)
  /// Move the clients that the guest has not accepted yet to where new ones are parked: it would accept and close them while it halts.
  case drainQueues
  /// Freeze the guest for as long as the queues are drained: one that shuts down by itself closes what is queued.
  case quiesce
  /// Thaw the guest after `quiesce`.
  case resume
  /// Send PID 1 the guest's `KillSignal=`; answers with `haltUnheard` when PID 1 has no handler for it.
  case requestHalt(HaltCause)
  /// Send SIGKILL to everything in the guest's cgroup.
  case kill(KillCause)
  /// Freeze every process of the guest; answers with `frozen` or `freezeFailed`, perhaps later, and then with `freezeDelayed` at once.
  case freeze
  /// Thaw the guest: in two stages, or all of it at once.
  case thaw(staged: Bool)
  /// Report data on open connections from now on, as `activity`.
  case armAlarm
  /// Stop reporting data on open connections.
  case disarmAlarm
  /// Watch the listeners of a guest that takes long to freeze: the processes that would accept a client may be frozen already.
  case watchWhileFreezing
  /// Watch the listeners of a frozen guest; answers with `activity` when they cannot be watched. `asked`: somebody asked for the freezing.
  case watchWhileFrozen(asked: Bool)
  /// Stop watching the listeners of a guest that is frozen or being frozen, before it is thawed.
  case handBack
  /// Watch whether somebody uses the guest: `idle` and `freezeDue` say that nobody does.
  case watchIdleness
  /// Continue with that after a thaw or a cancelled stop, as if somebody had just used the guest.
  case resumeIdleness
  /// Go on watching whether the guest is idle, because it could not be frozen. Freezing is tried again after a growing pause.
  case postponeFreezing
  /// Stop watching whether somebody uses the guest.
  case unwatchIdleness
  /// Start a deadline, which answers with its event once. A deadline that is running already starts anew.
  case arm(Timer)
  /// Stop a deadline, if it is running.
  case disarm(Timer)
  /// Refuse a request of a user.
  case refuse(Refusal)
}

/// Which listeners are diverted.
public enum Divertible: Equatable, Sendable {
  /// Only those whose parked clients can be moved back to the same instance.
  case restorable
  /// All of them.
  case all
}

/// What a scan is to find out.
public enum Question: Equatable, Sendable {
  /// Whether `IdleStopSec=` still asks for a stop.
  case stopDue
  /// Whether `IdleFreezeSec=` still asks for freezing.
  case freezeDue
  /// Whether somebody uses the guest at this moment.
  case use
  /// Whether a client is connected or queued; those who are parked do not count.
  case connections
}

/// Why a guest is killed.
public enum KillCause: Equatable, Sendable {
  /// It was not made within `TimeoutStartSec=`.
  case startTimeout
  /// It did not end within `TimeoutStopSec=`.
  case stopTimeout
  /// The guest ignores its `KillSignal=`, so only SIGKILL ends it.
  case unheard
  /// The daemon got a second SIGTERM.
  case request
}

/// What is not done, and why.
public enum Refusal: Equatable, Sendable {
  /// Whether an earlier daemon left an instance running is not known yet.
  case wakeWhilePending
  /// The guest was removed, or the daemon ends.
  case wakeUnbound
  /// Whether an earlier daemon left an instance running is not known yet.
  case sleepWhilePending
  /// Somebody uses the guest.
  case sleepInUse
  /// Somebody uses the guest.
  case freezeInUse
  /// Only a guest that is active can be frozen.
  case freezeNotActive
}

/// The table's deadlines; each answers with one event.
public enum Timer: Hashable, Sendable {
  /// `TimeoutStartSec=`, from the start on; answers with `startTimedOut`.
  case start
  /// `TimeoutStopSec=`, answers with `stopTimedOut`.
  case stop
  /// A moment until clients of a draining guest may have finished; answers with `rescanDue`.
  case rescan
  /// How long a draining guest's clients may take to finish; answers with `drainTimedOut`.
  case drain
  /// How long a guest may take to freeze; answers with `freezeFailed`.
  case freeze
  /// How long a guest must be ready until earlier failures are forgotten; answers with `stable`.
  case stable
  /// The pause after this many failures in a row; answers with `pauseOver`.
  case pause(failures: Int)
}
