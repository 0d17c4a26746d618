// The states of a guest that is on its way out although it could still serve, each a switch over every event.
extension Lifecycle {
  mutating func whileParting(_ parting: State.Parting, _ event: Event) -> [Effect] {
    parting.isCancellable ? whileUndecided(parting.record, event) : whileDraining(parting, event)
  }

  /// New clients wait apart, and nobody has decided yet: whoever turns up keeps the guest.
  private mutating func whileUndecided(_ record: State.Record, _ event: Event) -> [Effect] {
    switch event {
    case .diverted: [.rescan]
    case .unused: [.unwatchIdleness] + tellToHalt(State.Record(), then: .sleep)
    // Without a place for clients to wait the guest is not told to halt: it is tried again when it has been idle once more.
    case .divertFailed, .used, .wakeRequested: goOn(record)
    case .sleepRequested(now: true): [.unwatchIdleness] + drain(State.Record(), then: .sleep)
    case .release: [.unwatchIdleness] + drain(record, then: .release)
    case .listenerClosed: [.unwatchIdleness] + tellToHalt(record, then: .fail)
    case .selfShutdown(let confirmed): [.unwatchIdleness] + shutDownByItself(record, confirmed: confirmed, served: true)
    case .exited(let exit): [.unwatchIdleness, .restore] + unasked(exit, record)
    case .sleepRequested(now: false), .idle, .freezeDue, .ready, .changed: []  // decided in a moment
    case .bind, .adopt, .bound, .bindFailed, .connection, .started, .startFailed, .startTimedOut, .stable, .frozen,
      .freezeFailed, .activity, .rescanDue, .drainTimedOut, .stopTimedOut, .pauseOver, .shutdownAborted:
      []  // late, or the answer to nothing
    }
  }

  /// The guest has to go, and those who use it may have done with it before.
  private mutating func whileDraining(_ parting: State.Parting, _ event: Event) -> [Effect] {
    let disarm: [Effect] = [.disarm(.drain), .disarm(.look)]
    return switch event {
    case .diverted: [.rescan]
    // Whoever comes would be the guest's, which throws him away: there is time to try again.
    case .divertFailed, .used: [.arm(.look)]
    case .rescanDue: [.divert]
    case .unused, .drainTimedOut, .stopTimedOut, .selfShutdown(confirmed: false):
      disarm + tellToHalt(parting.record, then: parting.next)
    case .selfShutdown(confirmed: true): disarm + shutDownByItself(parting)
    case .release: drainOn(parting, then: .release)
    case .wakeRequested where parting.next == .sleep: drainOn(parting, then: .start)
    case .sleepRequested where parting.next == .start: drainOn(parting, then: .sleep)
    case .exited: disarm + [.restore] + gone(.init(parting.record, then: parting.next))
    // nothing that would change what follows
    case .wakeRequested, .sleepRequested, .idle, .freezeDue, .listenerClosed, .ready, .changed: []
    case .bind, .adopt, .bound, .bindFailed, .connection, .started, .startFailed, .startTimedOut, .stable, .frozen,
      .freezeFailed, .activity, .pauseOver, .shutdownAborted:
      []  // late, or the answer to nothing
    }
  }

  mutating func whileSelfShutdown(_ shutdown: State.SelfShutdown, _ event: Event) -> [Effect] {
    let record = shutdown.record
    return switch event {
    case .exited(let exit):
      [.disarm(.stop), .restore] + (shutdown.hasServed ? unasked(exit, record) : unserved(exit, record))
    case .stopTimedOut where shutdown.isConfirmed: [.kill]
    case .selfShutdown(confirmed: true): makeSure(shutdown)
    // It does not go, or nothing has come of it: it is not killed for that.
    case .ready where !shutdown.isConfirmed: [.disarm(.stop), .restore] + serve(record)
    case .shutdownAborted where !shutdown.isConfirmed: [.disarm(.stop), .restore] + stay(shutdown)
    case .stopTimedOut: [.restore] + stay(shutdown)
    // It is told to halt by a signal too, should it not mean what it said.
    case .wakeRequested: [.disarm(.stop)] + tellToHalt(record, then: .start)
    case .sleepRequested: [.disarm(.stop)] + tellToHalt(record, then: .sleep)
    case .release: [.disarm(.stop)] + tellToHalt(record, then: .release)
    case .selfShutdown(confirmed: false), .shutdownAborted, .idle, .freezeDue, .listenerClosed, .ready, .changed:
      []  // it goes
    case .bind, .adopt, .bound, .bindFailed, .connection, .started, .startFailed, .startTimedOut, .stable, .frozen,
      .freezeFailed, .activity, .diverted, .divertFailed, .used, .unused, .rescanDue, .drainTimedOut, .pauseOver:
      []  // late, or the answer to nothing
    }
  }

  /// The guest says that it goes: those whom it has not accepted are better off apart.
  mutating func shutDownByItself(_ record: State.Record, confirmed: Bool, served: Bool) -> [Effect] {
    state = .selfShutdown(.init(record, confirmed: confirmed, served: served))
    return [.quiesce, .divert, .drainQueues, .resume, .arm(.stop)]
  }

  private mutating func makeSure(_ shutdown: State.SelfShutdown) -> [Effect] {
    state = .selfShutdown(.init(shutdown.record, confirmed: true, served: shutdown.hasServed))
    return []
  }

  private mutating func stay(_ shutdown: State.SelfShutdown) -> [Effect] {
    shutdown.hasServed ? serve(shutdown.record) : awaitReadiness(shutdown.record)
  }

  /// It was to go anyhow.
  private mutating func shutDownByItself(_ parting: State.Parting) -> [Effect] {
    state = .deactivating(.init(parting.record, then: parting.next))
    return [.drainQueues, .arm(.stop)]
  }

  private mutating func tellToHalt(_ record: State.Record, then next: State.Deactivation.Next) -> [Effect] {
    state = .deactivating(.init(record, then: next))
    return [.drainQueues, .requestHalt, .arm(.stop)]
  }

  /// Somebody uses the guest after all, and nobody has noticed anything.
  private mutating func goOn(_ record: State.Record) -> [Effect] {
    state = .active(record)
    return [.restore, .arm(.stable)]
  }

  private mutating func drainOn(_ parting: State.Parting, then next: State.Deactivation.Next) -> [Effect] {
    state = .parting(.init(parting.record, then: next, cancellable: false))
    return []
  }
}
