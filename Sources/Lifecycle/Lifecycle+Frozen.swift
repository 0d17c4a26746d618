// The states of a guest that is frozen, or about to be, each a switch over every event.
extension Lifecycle {
  mutating func whileFreezing(_ record: State.Record, _ event: Event) -> [Effect] {
    let leave: [Effect] = [.disarm(.freeze), .thaw, .unwatchIdleness]
    return switch event {
    case .frozen: standStill(record)
    case .freezeFailed, .wakeRequested: [.disarm(.freeze)] + thaw(record)
    case .idle: [.disarm(.freeze), .thaw] + part(State.Record())
    case .sleepRequested(now: false): [.disarm(.freeze), .thaw] + part(record)
    case .sleepRequested(now: true): leave + drain(State.Record(), then: .sleep)
    case .release: leave + drain(record, then: .release)
    case .leaving(let surely): leave + goByItself(record, surely: surely, served: true)
    case .listenerClosed: leave + halt(record, then: .fail)
    case .exited(let exit): [.disarm(.freeze), .unwatchIdleness] + unasked(exit, record)
    // on its way; READY=1 repeats; the new file is for the next start
    case .freezeDue, .ready, .changed: []
    case .hold, .holdRunning, .held, .holdFailed, .connection, .started, .startFailed, .startTimedOut, .steady,
      .stirred, .gateClosed, .gateFailed, .used, .unused, .lookDue, .drainTimedOut, .stopTimedOut, .pauseOver, .staying:
      []  // late, or the answer to nothing
    }
  }

  mutating func whileFrozen(_ record: State.Record, _ event: Event) -> [Effect] {
    let leave: [Effect] = [.stepBack, .thaw, .unwatchIdleness]
    return switch event {
    case .connection, .stirred, .wakeRequested: [.stepBack] + thaw(record)
    case .idle: [.stepBack, .thaw] + part(State.Record())
    case .sleepRequested(now: false): [.stepBack, .thaw] + part(record)
    case .sleepRequested(now: true): leave + drain(State.Record(), then: .sleep)
    case .release: leave + drain(record, then: .release)
    case .leaving(let surely): leave + goByItself(record, surely: surely, served: true)
    case .listenerClosed: leave + halt(record, then: .fail)
    case .exited(let exit): [.stepBack, .unwatchIdleness] + unasked(exit, record)
    // frozen already; what it said before; the new file is for the next start
    case .freezeDue, .ready, .changed: []
    case .hold, .holdRunning, .held, .holdFailed, .started, .startFailed, .startTimedOut, .steady, .frozen,
      .freezeFailed, .gateClosed, .gateFailed, .used, .unused, .lookDue, .drainTimedOut, .stopTimedOut, .pauseOver,
      .staying:
      []  // late, or the answer to nothing
    }
  }
}
