// The states in which nothing of the guest runs, each a switch over every event.
extension Lifecycle {
  mutating func whilePending(_ event: Event) -> [Effect] {
    switch event {
    // Clients that were parked when the last daemon ended are there for the first instance.
    case .bind: [.unpark] + bind(State.Record(), then: .watch)
    // An earlier daemon may have left it frozen.
    case .adopt: thaw() + drain(State.Record(), .daemon, then: .sleep)
    case .wakeRequested: [.refuse(.wakeWhilePending)]
    case .sleepRequested: [.refuse(.sleepWhilePending)]
    case .freezeRequested: [.refuse(.freezeNotActive)]
    // An instance of it may run, and keeps its listeners.
    case .release: abandonUnstarted()
    case .thawRequested, .changed: []
    case .bound, .bindFailed, .connection, .placeGranted, .startDelayed, .prepared, .started, .startFailed, .ready,
      .startTimedOut, .stable, .idle, .freezeDue, .freezeDelayed, .frozen, .freezeFailed, .activity, .diverted,
      .divertFailed, .used, .unused, .leftOver, .scanFailed, .rescanDue, .drainTimedOut, .selfShutdown,
      .shutdownAborted, .parkedTooLong, .listenerClosed, .exited, .stopTimedOut, .killRequested, .pauseOver,
      .haltUnheard:
      []  // late, or the answer to nothing
    }
  }

  private mutating func abandonUnstarted() -> [Effect] {
    state = .unbound
    return []
  }

  mutating func whileUnbound(_ event: Event) -> [Effect] {
    switch event {
    case .wakeRequested: [.refuse(.wakeUnbound)]
    case .freezeRequested: [.refuse(.freezeNotActive)]
    case .sleepRequested, .thawRequested, .changed, .release: []  // asleep for good
    case .bind, .adopt, .bound, .bindFailed, .connection, .placeGranted, .startDelayed, .prepared, .started,
      .startFailed, .ready, .startTimedOut, .stable, .idle, .freezeDue, .freezeDelayed, .frozen, .freezeFailed,
      .activity, .diverted, .divertFailed, .used, .unused, .leftOver, .scanFailed, .rescanDue, .drainTimedOut,
      .selfShutdown, .shutdownAborted, .parkedTooLong, .listenerClosed, .exited, .stopTimedOut, .killRequested,
      .pauseOver, .haltUnheard:
      []  // late, or the answer to nothing
    }
  }

  mutating func whileBinding(_ binding: State.Binding, _ event: Event) -> [Effect] {
    switch event {
    case .bound:
      switch binding.next {
      case .watch: watch(binding.record)
      case .start: start(binding.record)
      }
    case .bindFailed: fail(binding.record.struckAgain, then: binding.next)
    case .wakeRequested: change(binding, to: .start)
    case .sleepRequested: change(binding, to: .watch)
    case .freezeRequested: [.refuse(.freezeNotActive)]
    // Perhaps the files asked for other listeners when they were bound.
    case .changed: bind(State.Record(), then: binding.next)
    case .release: unbind()
    case .thawRequested: []
    case .bind, .adopt, .connection, .placeGranted, .startDelayed, .prepared, .started, .startFailed, .ready,
      .startTimedOut, .stable, .idle, .freezeDue, .freezeDelayed, .frozen, .freezeFailed, .activity, .diverted,
      .divertFailed, .used, .unused, .leftOver, .scanFailed, .rescanDue, .drainTimedOut, .selfShutdown,
      .shutdownAborted, .parkedTooLong, .listenerClosed, .exited, .stopTimedOut, .killRequested, .pauseOver,
      .haltUnheard:
      []  // late, or the answer to nothing
    }
  }

  mutating func whileInactive(_ record: State.Record, _ event: Event) -> [Effect] {
    switch event {
    case .connection(let quiet): [.unwatchListeners] + wake(record, after: quiet)
    case .wakeRequested: [.unwatchListeners] + start(State.Record())
    case .changed: [.unwatchListeners] + bind(State.Record(), then: .watch)
    case .release: [.unwatchListeners] + unbind()
    case .bindFailed: [.unwatchListeners] + fail(record.struckAgain, then: .watch)
    case .freezeRequested: [.refuse(.freezeNotActive)]
    case .sleepRequested, .thawRequested: []  // asleep
    case .bind, .adopt, .bound, .placeGranted, .startDelayed, .prepared, .started, .startFailed, .ready, .startTimedOut,
      .stable, .idle, .freezeDue, .freezeDelayed, .frozen, .freezeFailed, .activity, .diverted, .divertFailed, .used,
      .unused, .leftOver, .scanFailed, .rescanDue, .drainTimedOut, .selfShutdown, .shutdownAborted, .parkedTooLong,
      .listenerClosed, .exited, .stopTimedOut, .killRequested, .pauseOver, .haltUnheard:
      []  // late, or the answer to nothing
    }
  }

  mutating func whileQueued(_ record: State.Record, _ event: Event) -> [Effect] {
    switch event {
    case .placeGranted: launch(record)
    case .sleepRequested: watch(record)
    // The changed files may ask for other listeners.
    case .changed: bind(State.Record(), then: .start)
    case .release: unbind()
    case .freezeRequested: [.refuse(.freezeNotActive)]
    case .wakeRequested, .thawRequested: []  // on its way
    case .bind, .startDelayed, .prepared, .adopt, .bound, .bindFailed, .connection, .started, .startFailed, .ready,
      .startTimedOut, .stable, .idle, .freezeDue, .freezeDelayed, .frozen, .freezeFailed, .activity, .diverted,
      .divertFailed, .used, .unused, .leftOver, .scanFailed, .rescanDue, .drainTimedOut, .selfShutdown,
      .shutdownAborted, .parkedTooLong, .listenerClosed, .exited, .stopTimedOut, .killRequested, .pauseOver,
      .haltUnheard:
      []  // late, or the answer to nothing
    }
  }

  mutating func whilePreparing(_ record: State.Record, _ event: Event) -> [Effect] {
    switch event {
    case .prepared: start(record)
    case .startFailed: fail(record.struckAgain, then: .watch)
    case .sleepRequested: [.abandonPreparation] + watch(record)
    // The changed files may need something else.
    case .changed: [.abandonPreparation] + bind(State.Record(), then: .start)
    case .release: [.abandonPreparation] + unbind()
    case .freezeRequested: [.refuse(.freezeNotActive)]
    case .wakeRequested, .thawRequested: []  // on its way
    case .bind, .adopt, .bound, .bindFailed, .connection, .placeGranted, .startDelayed, .started, .ready,
      .startTimedOut, .stable, .idle, .freezeDue, .freezeDelayed, .frozen, .freezeFailed, .activity, .diverted,
      .divertFailed, .used, .unused, .leftOver, .scanFailed, .rescanDue, .drainTimedOut, .selfShutdown,
      .shutdownAborted, .parkedTooLong, .listenerClosed, .exited, .stopTimedOut, .killRequested, .pauseOver,
      .haltUnheard:
      []  // late, or the answer to nothing
    }
  }

  mutating func whileFailed(_ failure: State.Failure, _ event: Event) -> [Effect] {
    let leave: [Effect] = failure.record.isRefused ? [.unwatchListeners] : []
    let disarm = leave + [.disarm(.pause(failures: failure.record.failures))]
    return switch event {
    case .pauseOver: leave + bind(failure.record.paid, then: failure.next)
    case .wakeRequested: disarm + bind(State.Record(), then: .start)
    case .sleepRequested: change(failure, to: .watch)
    case .changed: disarm + bind(State.Record(), then: .watch)  // perhaps that mends the fault
    case .release: disarm + unbind()
    case .freezeRequested: [.refuse(.freezeNotActive)]
    case .thawRequested: []
    case .bind, .adopt, .bound, .bindFailed, .connection, .placeGranted, .startDelayed, .prepared, .started,
      .startFailed, .ready, .startTimedOut, .stable, .idle, .freezeDue, .freezeDelayed, .frozen, .freezeFailed,
      .activity, .diverted, .divertFailed, .used, .unused, .leftOver, .scanFailed, .rescanDue, .drainTimedOut,
      .selfShutdown, .shutdownAborted, .parkedTooLong, .listenerClosed, .exited, .stopTimedOut, .killRequested,
      .haltUnheard:
      []  // late, or the answer to nothing
    }
  }

  private mutating func wake(_ record: State.Record, after quiet: Duration) -> [Effect] {
    // A client that was queued during the last failure is reported at once. A connection after such a time is a new client.
    let record = quiet >= Backoff.quiet(afterFailures: record.failures) ? State.Record() : record
    // A guest that ends again and again without accepting what is queued would be started without end.
    if record.failures > Backoff.allowance, !record.isPaid { return fail(record, then: .start) }
    return start(record)
  }

  private mutating func change(_ binding: State.Binding, to next: State.Binding.Next) -> [Effect] {
    state = .binding(.init(binding.record, then: next))
    return []
  }

  private mutating func change(_ failure: State.Failure, to next: State.Binding.Next) -> [Effect] {
    state = .failed(.init(failure.record, then: next))
    return []
  }
}
