@testable import Lifecycle

// What the random walks ask of timers, events and states.
extension Timer {
  var event: Event {
    switch self {
    case .start: .startTimedOut
    case .stop: .stopTimedOut
    case .freeze: .freezeFailed
    case .rescan: .rescanDue
    case .drain: .drainTimedOut
    case .stable: .stable(served: true)
    case .pause: .pauseOver
    }
  }
}

extension Event {
  /// The events that end the wait for the clients of a draining guest.
  var endsPatience: Bool {
    switch self {
    case .drainTimedOut, .stopTimedOut, .selfShutdown, .killRequested: true
    case .bind, .adopt, .bound, .bindFailed, .connection, .wakeRequested, .thawRequested, .placeGranted, .startDelayed,
      .prepared, .started, .startFailed, .ready, .startTimedOut, .stable, .idle, .freezeDue, .freezeRequested,
      .freezeDelayed, .frozen, .freezeFailed, .activity, .diverted, .divertFailed, .used, .unused, .leftOver,
      .scanFailed, .rescanDue, .shutdownAborted, .sleepRequested, .parkedTooLong, .listenerClosed, .exited, .pauseOver,
      .changed, .release, .haltUnheard:
      false
    }
  }
}

extension State {
  var isPreparing: Bool { if case .preparing = self { true } else { false } }

  var mayBeKilled: Bool {
    if case .selfShutdown(let shutdown) = self { shutdown.isConfirmed } else { true }
  }

  var parksClients: Bool {
    switch self {
    case .stopPending, .draining, .selfShutdown, .deactivating: true
    case .pending, .unbound, .binding, .inactive, .queued, .preparing, .launching, .activating, .active, .freezing,
      .frozen, .failed:
      false
    }
  }
}
