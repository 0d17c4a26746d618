// The states of a guest on its way out, each a switch over every event.
extension Lifecycle {
  /// New clients are parked, and nothing is decided yet: whoever is found to use the guest keeps it.
  mutating func whileStopPending(_ pending: State.StopPending, _ event: Event) -> [Effect] {
    let record = pending.record
    let leave: [Effect] = [.unwatchIdleness]
    return switch event {
    case .diverted: [.scan(question(pending))]
    // Last, so that it is for the shortest time: a client that connects to a path now cannot be moved back to this instance if it keeps running.
    case .unused where !pending.isLast: decideLast(pending)
    case .unused: leave + requestHalt(afterwards(pending), .init(cause(pending), then: .sleep))
    // A guest whose clients cannot be parked is not told to halt: that is tried again when it has been idle once more.
    case .divertFailed, .used, .scanFailed, .wakeRequested: goOn(record)
    case .sleepRequested(now: true, inUse: _): leave + drain(State.Record(), .request, then: .sleep)
    case .release(let cause): leave + drain(record, cause, then: .release)
    case .listenerClosed: leave + requestHalt(record, .init(.listenerClosed, then: .fail))
    case .selfShutdown(let confirmed): leave + shutDownByItself(record, confirmed: confirmed, served: true)
    case .exited(let exit): [.unwatchIdleness, .unpark] + unasked(exit, record)
    case .freezeRequested: [.refuse(.freezeNotActive)]
    // decided in a moment
    case .sleepRequested(now: false, inUse: _), .idle, .freezeDue, .parkedTooLong, .thawRequested, .ready, .changed: []
    case .bind, .adopt, .bound, .bindFailed, .connection, .placeGranted, .startDelayed, .prepared, .started,
      .startFailed, .startTimedOut, .stable, .freezeDelayed, .frozen, .freezeFailed, .activity, .leftOver, .rescanDue,
      .drainTimedOut, .stopTimedOut, .killRequested, .pauseOver, .shutdownAborted, .haltUnheard:
      []  // late, or the answer to nothing
    }
  }

  private func question(_ pending: State.StopPending) -> Question {
    switch pending.cause {
    case .idle, .idleUnserved: .stopDue
    case .request: .use
    }
  }

  private func cause(_ pending: State.StopPending) -> HaltCause {
    switch pending.cause {
    case .idle, .idleUnserved: .idle
    case .request: .request
    }
  }

  private func afterwards(_ pending: State.StopPending) -> State.Record {
    switch pending.cause {
    // The guest served, so earlier failures are forgotten. A requested stop is no failure either.
    case .idle, .request: State.Record()
    case .idleUnserved: pending.record.struckAgain
    }
  }

  private mutating func decideLast(_ pending: State.StopPending) -> [Effect] {
    state = .stopPending(.init(pending.record, pending.cause, last: true))
    return [.divert(.all)]
  }

  /// Somebody uses the guest after all: it keeps running, and no client has noticed anything.
  private mutating func goOn(_ record: State.Record) -> [Effect] {
    state = .active(record)
    return [.restore, .resumeIdleness, .arm(.stable)]
  }

  /// The guest will be stopped in any case; its clients may finish before.
  mutating func whileDraining(_ draining: State.Deactivation, _ event: Event) -> [Effect] {
    let disarm: [Effect] = [.disarm(.drain), .disarm(.rescan)]
    return switch event {
    case .diverted: [.scan(.connections)]
    // A client that comes now would be queued at the guest, and lost with it: there is time to try again.
    case .divertFailed, .used, .scanFailed: [.arm(.rescan)]
    case .rescanDue: [.divert(.all)]
    case .unused, .drainTimedOut, .stopTimedOut, .selfShutdown(confirmed: false):
      disarm + requestHalt(draining.record, draining.halt)
    case .selfShutdown(confirmed: true): disarm + haltByItself(draining)
    case .killRequested: disarm + requestHalt(draining.record, draining.halt) + [.kill(.request)]
    case .release(let cause): drainOn(draining, .init(cause, then: .release))
    case .wakeRequested where draining.halt.next == .sleep: drainOn(draining, .init(draining.halt.cause, then: .start))
    case .sleepRequested(now: false, inUse: true) where draining.halt.next == .start: [.refuse(.sleepInUse)]
    case .sleepRequested where draining.halt.next == .start:
      drainOn(draining, .init(draining.halt.cause, then: .sleep))
    case .exited: disarm + [.unpark] + gone(draining.record, draining.halt.next)
    case .freezeRequested: [.refuse(.freezeNotActive)]
    // nothing that would change what follows
    case .wakeRequested, .sleepRequested, .thawRequested, .idle, .freezeDue, .parkedTooLong, .listenerClosed, .ready,
      .changed:
      []
    case .bind, .adopt, .bound, .bindFailed, .connection, .placeGranted, .startDelayed, .prepared, .started,
      .startFailed, .startTimedOut, .stable, .freezeDelayed, .frozen, .freezeFailed, .activity, .pauseOver,
      .shutdownAborted, .leftOver, .haltUnheard:
      []  // late, or the answer to nothing
    }
  }

  /// PID 1 need not be told to halt, because it shuts down already.
  private mutating func haltByItself(_ draining: State.Deactivation) -> [Effect] {
    state = .deactivating(draining)
    return [.drainQueues, .arm(.stop)]
  }

  private mutating func drainOn(_ draining: State.Deactivation, _ halt: State.Halt) -> [Effect] {
    state = .draining(.init(draining.record, halt))
    return []
  }

  mutating func whileSelfShutdown(_ shutdown: State.SelfShutdown, _ event: Event) -> [Effect] {
    let record = shutdown.record
    return switch event {
    case .exited(let exit):
      [.disarm(.stop), .unpark] + (shutdown.hasServed ? unasked(exit, record) : unserved(exit, record))
    case .stopTimedOut where shutdown.isConfirmed: [.kill(.stopTimeout)]
    case .selfShutdown(confirmed: true): confirm(shutdown)
    // It does not shut down after all, which is no reason to kill it.
    case .ready where !shutdown.isConfirmed: [.disarm(.stop), .restore] + serve(record)
    case .shutdownAborted where !shutdown.isConfirmed: [.disarm(.stop), .restore] + carryOn(shutdown)
    case .stopTimedOut: [.restore] + carryOn(shutdown)
    // It gets the signal too, in case it does not shut down.
    case .wakeRequested: [.disarm(.stop)] + requestHalt(record, .init(.request, then: .start))
    case .sleepRequested(now: false, inUse: true): []  // it shuts down
    case .sleepRequested: [.disarm(.stop)] + requestHalt(record, .init(.request, then: .sleep))
    case .release(let cause): [.disarm(.stop)] + requestHalt(record, .init(cause, then: .release))
    case .killRequested where shutdown.isConfirmed: [.kill(.request)]
    case .freezeRequested: [.refuse(.freezeNotActive)]
    // it shuts down
    case .selfShutdown(confirmed: false), .shutdownAborted, .thawRequested, .idle, .freezeDue, .parkedTooLong,
      .listenerClosed, .ready, .changed:
      []
    case .bind, .adopt, .bound, .bindFailed, .connection, .placeGranted, .startDelayed, .prepared, .started,
      .startFailed, .startTimedOut, .stable, .freezeDelayed, .frozen, .freezeFailed, .activity, .diverted,
      .divertFailed, .used, .unused, .leftOver, .scanFailed, .rescanDue, .drainTimedOut, .killRequested, .pauseOver,
      .haltUnheard:
      []  // late, or the answer to nothing
    }
  }

  private mutating func confirm(_ shutdown: State.SelfShutdown) -> [Effect] {
    state = .selfShutdown(.init(shutdown.record, confirmed: true, served: shutdown.hasServed))
    return []
  }

  private mutating func carryOn(_ shutdown: State.SelfShutdown) -> [Effect] {
    // Its deadline was stopped when it seemed to shut down.
    shutdown.hasServed ? serve(shutdown.record) : awaitReadiness(shutdown.record) + [.arm(.start)]
  }

  mutating func whileDeactivating(_ deactivation: State.Deactivation, _ event: Event) -> [Effect] {
    let (record, halt) = (deactivation.record, deactivation.halt)
    return switch event {
    case .exited: [.disarm(.stop), .unpark] + gone(record, halt.next)
    case .stopTimedOut: [.kill(.stopTimeout)]
    case .haltUnheard: [.kill(.unheard)]
    case .killRequested: [.kill(.request)]
    case .wakeRequested where halt.next == .sleep: change(deactivation, to: .start)
    case .sleepRequested(now: false, inUse: true) where halt.next == .start: [.refuse(.sleepInUse)]
    case .sleepRequested where halt.next == .start: change(deactivation, to: .sleep)
    case .release: change(deactivation, to: .release)
    case .freezeRequested: [.refuse(.freezeNotActive)]
    // nothing that would change what follows; READY=1 ends a boot that was told to halt meanwhile
    case .wakeRequested, .sleepRequested, .thawRequested, .changed, .ready: []
    case .bind, .adopt, .bound, .bindFailed, .connection, .placeGranted, .startDelayed, .prepared, .started,
      .startFailed, .startTimedOut, .stable, .idle, .freezeDue, .freezeDelayed, .frozen, .freezeFailed, .activity,
      .diverted, .divertFailed, .used, .unused, .leftOver, .scanFailed, .rescanDue, .drainTimedOut, .selfShutdown,
      .shutdownAborted, .parkedTooLong, .listenerClosed, .pauseOver:
      []  // late, or the answer to nothing
    }
  }

  private mutating func change(_ deactivation: State.Deactivation, to next: State.Halt.Next) -> [Effect] {
    state = .deactivating(.init(deactivation.record, .init(deactivation.halt.cause, then: next)))
    return []
  }
}
