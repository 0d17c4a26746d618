// The states of a guest that is on its way out although it could still serve, each a switch over every event.
extension Lifecycle {
  mutating func whileParting(_ parting: State.Parting, _ event: Event) -> [Effect] {
    parting.isCancellable ? whileUndecided(parting.record, event) : whileDraining(parting, event)
  }

  /// New clients wait apart, and nobody has decided yet: whoever turns up keeps the guest.
  private mutating func whileUndecided(_ record: State.Record, _ event: Event) -> [Effect] {
    switch event {
    case .gateClosed: [.lookAgain]
    case .unused: [.unwatchIdleness] + tellToHalt(State.Record(), then: .sleep)
    // Without a place for clients to wait the guest is not told to halt: it is tried again when it has been idle once more.
    case .gateFailed, .used, .wakeRequested: goOn(record)
    case .sleepRequested(now: true): [.unwatchIdleness] + drain(State.Record(), then: .sleep)
    case .release: [.unwatchIdleness] + drain(record, then: .release)
    case .listenerClosed: [.unwatchIdleness] + tellToHalt(record, then: .fail)
    case .leaving(let surely): [.unwatchIdleness] + goByItself(record, surely: surely, served: true)
    case .exited(let exit): [.unwatchIdleness, .openGate] + unasked(exit, record)
    case .sleepRequested(now: false), .idle, .freezeDue, .ready, .changed: []  // decided in a moment
    case .hold, .holdRunning, .held, .holdFailed, .connection, .started, .startFailed, .startTimedOut, .steady, .frozen,
      .freezeFailed, .stirred, .lookDue, .drainTimedOut, .stopTimedOut, .pauseOver, .staying:
      []  // late, or the answer to nothing
    }
  }

  /// The guest has to go, and those who use it may have done with it before.
  private mutating func whileDraining(_ parting: State.Parting, _ event: Event) -> [Effect] {
    let disarm: [Effect] = [.disarm(.drain), .disarm(.look)]
    return switch event {
    case .gateClosed: [.lookAgain]
    // Whoever comes would be the guest's, which throws him away: there is time to try again.
    case .gateFailed, .used: [.arm(.look)]
    case .lookDue: [.closeGate]
    case .unused, .drainTimedOut, .stopTimedOut, .leaving(surely: false):
      disarm + tellToHalt(parting.record, then: parting.next)
    case .leaving(surely: true): disarm + goByItself(parting)
    case .release: drainOn(parting, then: .release)
    case .wakeRequested where parting.next == .sleep: drainOn(parting, then: .start)
    case .sleepRequested where parting.next == .start: drainOn(parting, then: .sleep)
    case .exited: disarm + [.openGate] + gone(.init(parting.record, then: parting.next))
    // nothing that would change what follows
    case .wakeRequested, .sleepRequested, .idle, .freezeDue, .listenerClosed, .ready, .changed: []
    case .hold, .holdRunning, .held, .holdFailed, .connection, .started, .startFailed, .startTimedOut, .steady, .frozen,
      .freezeFailed, .stirred, .pauseOver, .staying:
      []  // late, or the answer to nothing
    }
  }

  mutating func whileLeaving(_ leaving: State.Leaving, _ event: Event) -> [Effect] {
    let record = leaving.record
    return switch event {
    case .exited(let exit):
      [.disarm(.stop), .openGate] + (leaving.hasServed ? unasked(exit, record) : unserved(exit, record))
    case .stopTimedOut where leaving.isSure: [.kill]
    case .leaving(surely: true): makeSure(leaving)
    // It does not go, or nothing has come of it: it is not killed for that.
    case .ready where !leaving.isSure: [.disarm(.stop), .openGate] + serve(record)
    case .staying where !leaving.isSure: [.disarm(.stop), .openGate] + stay(leaving)
    case .stopTimedOut: [.openGate] + stay(leaving)
    // It is told to halt by a signal too, should it not mean what it said.
    case .wakeRequested: [.disarm(.stop)] + tellToHalt(record, then: .start)
    case .sleepRequested: [.disarm(.stop)] + tellToHalt(record, then: .sleep)
    case .release: [.disarm(.stop)] + tellToHalt(record, then: .release)
    case .leaving(surely: false), .staying, .idle, .freezeDue, .listenerClosed, .ready, .changed: []  // it goes
    case .hold, .holdRunning, .held, .holdFailed, .connection, .started, .startFailed, .startTimedOut, .steady, .frozen,
      .freezeFailed, .stirred, .gateClosed, .gateFailed, .used, .unused, .lookDue, .drainTimedOut, .pauseOver:
      []  // late, or the answer to nothing
    }
  }

  /// The guest says that it goes: those whom it has not accepted are better off apart.
  mutating func goByItself(_ record: State.Record, surely: Bool, served: Bool) -> [Effect] {
    state = .leaving(.init(record, surely: surely, served: served))
    return [.holdStill, .closeGate, .takeQueues, .letRun, .arm(.stop)]
  }

  private mutating func makeSure(_ leaving: State.Leaving) -> [Effect] {
    state = .leaving(.init(leaving.record, surely: true, served: leaving.hasServed))
    return []
  }

  private mutating func stay(_ leaving: State.Leaving) -> [Effect] {
    leaving.hasServed ? serve(leaving.record) : awaitReadiness(leaving.record)
  }

  /// It was to go anyhow.
  private mutating func goByItself(_ parting: State.Parting) -> [Effect] {
    state = .deactivating(.init(parting.record, then: parting.next))
    return [.takeQueues, .arm(.stop)]
  }

  private mutating func tellToHalt(_ record: State.Record, then next: State.Deactivation.Next) -> [Effect] {
    state = .deactivating(.init(record, then: next))
    return [.takeQueues, .askToHalt, .arm(.stop)]
  }

  /// Somebody uses the guest after all, and nobody has noticed anything.
  private mutating func goOn(_ record: State.Record) -> [Effect] {
    state = .active(record)
    return [.openGate, .arm(.steady)]
  }

  private mutating func drainOn(_ parting: State.Parting, then next: State.Deactivation.Next) -> [Effect] {
    state = .parting(.init(parting.record, then: next, cancellable: false))
    return []
  }
}
