// What the rest of the daemon asks about a state. No other code switches over a state, except to put it in words for a person.
extension State {
  /// systemd's words for the states of a unit, and `frozen`.
  public enum Word: String, Equatable, Sendable, CaseIterable {
    case inactive, activating, active, frozen, deactivating, failed
  }

  /// The word that users see.
  public var word: Word {
    switch self {
    case .inactive(let record): record.isRefused ? .failed : .inactive
    case .pending, .unbound, .binding: .inactive
    case .queued, .launching, .preparing, .activating: .activating
    case .active, .freezing, .stopPending: .active
    case .frozen: .frozen
    case .draining, .selfShutdown, .deactivating: .deactivating
    case .failed: .failed
    }
  }

  /// Whether a PID 1 of the guest may exist.
  public var mayRun: Bool {
    switch self {
    case .pending, .unbound, .binding, .inactive, .queued, .preparing, .failed: false
    case .launching, .activating, .active, .freezing, .frozen, .stopPending, .draining, .selfShutdown, .deactivating:
      true
    }
  }

  /// Whether the guest has a place among those that start at the same time, or waits for one.
  public var wantsPlace: Bool {
    switch self {
    case .queued, .launching, .activating: true
    case .pending, .unbound, .binding, .inactive, .preparing, .active, .freezing, .frozen, .stopPending, .draining,
      .selfShutdown, .deactivating, .failed:
      false
    }
  }

  /// Whether the guest waits for a place to start.
  public var isQueued: Bool { if case .queued = self { true } else { false } }

  /// Whether clients are refused until a pause is over.
  public var isRefusing: Bool { if case .failed(let failure) = self { failure.record.isRefused } else { false } }

  /// Whether the listeners are watched and nothing runs.
  public var isAsleep: Bool { if case .inactive = self { true } else { false } }

  /// Whether the search for an orphan is not complete yet.
  public var isPending: Bool { self == .pending }

  /// A state in which nothing is on its way to another one.
  public enum Rest: Equatable, Sendable {
    case serving, frozen, asleep, failed
  }

  /// Where the guest rests; nil while it is on its way.
  public var rest: Rest? {
    switch self {
    case .active: .serving
    case .frozen: .frozen
    case .inactive, .unbound: .asleep
    case .failed: .failed
    case .pending, .binding, .queued, .preparing, .launching, .activating, .freezing, .stopPending, .draining,
      .selfShutdown, .deactivating:
      nil
    }
  }

  /// Whether nothing more will happen.
  public var isUnbound: Bool { self == .unbound }

  /// Whether every process of the guest is frozen, or about to be.
  public var isFrozenOrFreezing: Bool {
    switch self {
    case .freezing, .frozen: true
    case .pending, .unbound, .binding, .inactive, .queued, .preparing, .launching, .activating, .active, .stopPending,
      .draining, .selfShutdown, .deactivating, .failed:
      false
    }
  }

  /// Whether PID 1 exists and has processes that run.
  public var isRunning: Bool {
    switch self {
    case .activating, .active, .stopPending, .draining, .selfShutdown, .deactivating: true
    case .pending, .unbound, .binding, .inactive, .queued, .preparing, .launching, .freezing, .frozen, .failed: false
    }
  }

  /// Whether PID 1 was told to halt, or shuts down by itself: a connection that ends now may have been cut off.
  public var isHalting: Bool {
    switch self {
    case .selfShutdown, .deactivating: true
    case .pending, .unbound, .binding, .inactive, .queued, .preparing, .launching, .activating, .active, .freezing,
      .frozen, .stopPending, .draining, .failed:
      false
    }
  }

  /// Whether the guest shuts down by itself, or seems to.
  public var isShuttingDownByItself: Bool { if case .selfShutdown = self { true } else { false } }

  /// Whether the answer to `divert` may come later, as an event.
  public var awaitsDiversion: Bool {
    switch self {
    case .stopPending, .draining: true
    case .pending, .unbound, .binding, .inactive, .queued, .preparing, .launching, .activating, .active, .freezing,
      .frozen, .selfShutdown, .deactivating, .failed:
      false
    }
  }

  /// Whether a stop may still be cancelled.
  public var isStopPending: Bool { if case .stopPending = self { true } else { false } }

  /// Why the guest is being stopped; nil when Dormouse does not stop it, or may still not.
  public var haltCause: HaltCause? {
    switch self {
    case .draining(let deactivation), .deactivating(let deactivation): deactivation.halt.cause
    case .launching(let launch): launch.halt?.cause
    case .pending, .unbound, .binding, .inactive, .queued, .preparing, .activating, .active, .freezing, .frozen,
      .stopPending, .selfShutdown, .failed:
      nil
    }
  }

  /// Whether the guest has not been ready yet.
  public var isBeforeReady: Bool {
    switch self {
    case .launching, .activating: true
    case .selfShutdown(let shutdown): !shutdown.hasServed
    case .pending, .unbound, .binding, .inactive, .queued, .preparing, .active, .freezing, .frozen, .stopPending,
      .draining, .deactivating, .failed:
      false
    }
  }

  /// Whether the guest is being stopped for good.
  public var isReleasing: Bool {
    switch self {
    case .draining(let deactivation), .deactivating(let deactivation): deactivation.halt.next == .release
    case .launching(let launch): launch.halt?.next == .release
    case .unbound: true
    case .pending, .binding, .inactive, .queued, .preparing, .activating, .active, .freezing, .frozen, .stopPending,
      .selfShutdown, .failed:
      false
    }
  }
}
