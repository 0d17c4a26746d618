/// What is to be done about it, in order. `Supervisor.perform(_:)` is the only interpreter.
public enum Effect: Equatable, Sendable {
  /// Open the listeners that are not open and repair those that a guest changed; answers with `held` or `bindFailed`.
  case bindListeners
  /// Wait for a client at the listeners; `connection` tells of one, `bindFailed` that it cannot be.
  case watchListeners
  /// Stop that: from here on the guest may accept, and nobody else does.
  case unwatchListeners
  /// Close the daemon's descriptors of the listeners, for good.
  case unbindListeners
  /// Make PID 1; answers with `started` or `startFailed`.
  case start
  /// Let new clients wait apart from the guest, where that can be; answers with `diverted`, or with `divertFailed`.
  case divert
  /// Let them come to the listeners again, and with them those that waited apart.
  case restore
  /// Look whether somebody uses the guest by its own listeners; answers with `used` or `unused`.
  case rescan
  /// Let those wait apart too whom the guest has not accepted yet: it would accept and close them while it halts.
  case drainQueues
  /// Let the guest stand still for as long as that takes: one that goes by itself accepts and closes meanwhile what is queued.
  case quiesce
  /// Let it go on with its end.
  case resume
  /// Send the guest its `KillSignal=`.
  case requestHalt
  /// End everything in the guest's cgroup.
  case kill
  /// Stop every process of the guest where it is; answers with `frozen`, or with `freezeFailed`.
  case freeze
  /// Let all of them go on.
  case thaw
  /// Watch the listeners of a frozen guest in its stead; answers with `activity` when somebody uses the guest after all.
  case watchWhileFrozen
  /// Stop that, before the guest can run again.
  case handBack
  /// Look after the use that is made of the guest; `idle` and `freezeDue` tell of none.
  case watchIdleness
  /// Stop that.
  case unwatchIdleness
  /// Start a deadline, which answers with its event once. One that runs already begins anew.
  case arm(Timer)
  /// Stop a deadline; one that does not run is left as it is.
  case disarm(Timer)
}

/// The table's deadlines; each answers with one event.
public enum Timer: Hashable, Sendable {
  /// `TimeoutStartSec=`, answers with `startTimedOut`.
  case start
  /// `TimeoutStopSec=`, answers with `stopTimedOut`.
  case stop
  /// A moment until clients of a guest that is to halt may have done with it; answers with `rescanDue`.
  case look
  /// How long they are waited for; answers with `drainTimedOut`.
  case drain
  /// How long a guest may take to freeze; answers with `freezeFailed`.
  case freeze
  /// How long a guest must be ready until earlier failures are forgotten; answers with `stable`.
  case stable
  /// The pause after this many failures in a row; answers with `pauseOver`.
  case pause(failures: Int)
}
