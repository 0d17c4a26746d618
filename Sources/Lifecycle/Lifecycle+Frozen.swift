// The states of a guest that is frozen, or about to be, each a switch over every event.
extension Lifecycle {
  mutating func whileFreezing(_ record: State.Record, _ event: Event) -> [Effect] {
    let leave: [Effect] = [.disarm(.freeze), .thaw, .unwatchIdleness]
    return switch event {
    case .frozen: enterFrozen(record)
    case .freezeFailed, .wakeRequested: [.disarm(.freeze)] + thaw(record)
    case .idle: [.disarm(.freeze), .thaw] + part(State.Record())
    case .sleepRequested(now: false): [.disarm(.freeze), .thaw] + part(record)
    case .sleepRequested(now: true): leave + drain(State.Record(), then: .sleep)
    case .release: leave + drain(record, then: .release)
    case .selfShutdown(let confirmed): leave + shutDownByItself(record, confirmed: confirmed, served: true)
    case .listenerClosed: leave + halt(record, then: .fail)
    case .exited(let exit): [.disarm(.freeze), .unwatchIdleness] + unasked(exit, record)
    // on its way; READY=1 repeats; the new file is for the next start
    case .freezeDue, .ready, .changed: []
    case .bind, .adopt, .bound, .bindFailed, .connection, .started, .startFailed, .startTimedOut, .stable,
      .activity, .diverted, .divertFailed, .used, .unused, .rescanDue, .drainTimedOut, .stopTimedOut, .pauseOver,
      .shutdownAborted:
      []  // late, or the answer to nothing
    }
  }

  mutating func whileFrozen(_ record: State.Record, _ event: Event) -> [Effect] {
    let leave: [Effect] = [.handBack, .thaw, .unwatchIdleness]
    return switch event {
    case .connection, .activity, .wakeRequested: [.handBack] + thaw(record)
    case .idle: [.handBack, .thaw] + part(State.Record())
    case .sleepRequested(now: false): [.handBack, .thaw] + part(record)
    case .sleepRequested(now: true): leave + drain(State.Record(), then: .sleep)
    case .release: leave + drain(record, then: .release)
    case .selfShutdown(let confirmed): leave + shutDownByItself(record, confirmed: confirmed, served: true)
    case .listenerClosed: leave + halt(record, then: .fail)
    case .exited(let exit): [.handBack, .unwatchIdleness] + unasked(exit, record)
    // frozen already; what it said before; the new file is for the next start
    case .freezeDue, .ready, .changed: []
    case .bind, .adopt, .bound, .bindFailed, .started, .startFailed, .startTimedOut, .stable, .frozen,
      .freezeFailed, .diverted, .divertFailed, .used, .unused, .rescanDue, .drainTimedOut, .stopTimedOut, .pauseOver,
      .shutdownAborted:
      []  // late, or the answer to nothing
    }
  }
}
