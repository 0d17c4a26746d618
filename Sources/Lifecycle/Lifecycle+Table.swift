// One function for each state, each a switch over every event.
extension Lifecycle {
  mutating func whileReleased(_ event: Event) -> [Effect] {
    switch event {
    case .hold: hold(State.Record(), then: .watch)
    // An earlier daemon may have left it frozen.
    case .holdRunning: [.thaw] + drain(State.Record(), then: .sleep)
    case .wakeRequested, .sleepRequested, .changed, .release: []  // let go: whoever asks is told so by the state
    case .held, .holdFailed, .connection, .started, .startFailed, .ready, .startTimedOut, .steady, .idle, .freezeDue,
      .frozen, .freezeFailed, .stirred, .gateClosed, .gateFailed, .used, .unused, .lookDue, .drainTimedOut, .leaving,
      .staying, .listenerClosed, .exited, .stopTimedOut, .pauseOver:
      []  // late, or the answer to nothing
    }
  }

  mutating func whileHolding(_ holding: State.Holding, _ event: Event) -> [Effect] {
    switch event {
    case .held:
      switch holding.next {
      case .watch: watch(holding.record)
      case .start: start(holding.record)
      }
    case .holdFailed: fail(holding.record.struckAgain, then: holding.next)
    case .release: release()
    // `held` comes first (`EventQueue`)
    case .wakeRequested, .sleepRequested, .changed: []
    case .hold, .holdRunning, .connection, .started, .startFailed, .ready, .startTimedOut, .steady, .idle, .freezeDue,
      .frozen, .freezeFailed, .stirred, .gateClosed, .gateFailed, .used, .unused, .lookDue, .drainTimedOut, .leaving,
      .staying, .listenerClosed, .exited, .stopTimedOut, .pauseOver:
      []  // late, or the answer to nothing
    }
  }

  mutating func whileInactive(_ record: State.Record, _ event: Event) -> [Effect] {
    switch event {
    case .connection where record.failures > Backoff.allowance && !record.isPaid:
      // The guest ends again and again without taking what is queued: to wake it at once would be a busy loop.
      [.unwatchListeners] + fail(record, then: .start)
    case .connection: [.unwatchListeners] + start(record)
    case .wakeRequested: [.unwatchListeners] + start(State.Record())
    case .changed: [.unwatchListeners] + hold(State.Record(), then: .watch)
    case .release: [.unwatchListeners] + release()
    case .holdFailed: [.unwatchListeners] + fail(record.struckAgain, then: .watch)
    case .steady: quieten()
    case .sleepRequested: []  // asleep
    case .hold, .holdRunning, .held, .started, .startFailed, .ready, .startTimedOut, .idle, .freezeDue, .frozen,
      .freezeFailed, .stirred, .gateClosed, .gateFailed, .used, .unused, .lookDue, .drainTimedOut, .leaving, .staying,
      .listenerClosed, .exited, .stopTimedOut, .pauseOver:
      []  // late, or the answer to nothing
    }
  }

  mutating func whileLaunching(_ record: State.Record, _ event: Event) -> [Effect] {
    switch event {
    case .started: awaitReadiness(record)
    case .startFailed: fail(record.struckAgain, then: .watch)
    case .wakeRequested, .sleepRequested, .changed, .release: []  // `started` comes first (`EventQueue`)
    case .hold, .holdRunning, .held, .holdFailed, .connection, .ready, .startTimedOut, .steady, .idle, .freezeDue,
      .frozen, .freezeFailed, .stirred, .gateClosed, .gateFailed, .used, .unused, .lookDue, .drainTimedOut, .leaving,
      .staying, .listenerClosed, .exited, .stopTimedOut, .pauseOver:
      []  // late, or the answer to nothing
    }
  }

  mutating func whileActivating(_ record: State.Record, _ event: Event) -> [Effect] {
    switch event {
    case .ready: serve(record)
    case .startTimedOut: halt(record, then: .fail)
    case .sleepRequested: [.disarm(.start)] + halt(record, then: .sleep)
    case .release: [.disarm(.start)] + halt(record, then: .release)
    case .leaving(let surely): [.disarm(.start)] + goByItself(record, surely: surely, served: false)
    case .exited(let exit): [.disarm(.start)] + unserved(exit, record)
    case .wakeRequested, .changed: []  // on its way; the new file is for the next start
    case .hold, .holdRunning, .held, .holdFailed, .connection, .started, .startFailed, .steady, .idle, .freezeDue,
      .frozen, .freezeFailed, .stirred, .gateClosed, .gateFailed, .used, .unused, .lookDue, .drainTimedOut, .staying,
      .listenerClosed, .stopTimedOut, .pauseOver:
      []  // late, or the answer to nothing
    }
  }

  mutating func whileActive(_ record: State.Record, _ event: Event) -> [Effect] {
    let leave: [Effect] = [.disarm(.steady), .unwatchIdleness]
    return switch event {
    case .steady: forgetFailures()
    case .freezeDue: freeze(record)
    case .idle: [.disarm(.steady)] + part(State.Record())  // it served whoever came: earlier failures are mended
    case .sleepRequested(now: false): [.disarm(.steady)] + part(record)
    // as it was asked for, it is no failure whatever was before, and whoever comes next waits for no pause
    case .sleepRequested(now: true): leave + drain(State.Record(), then: .sleep)
    case .release: leave + drain(record, then: .release)
    case .leaving(let surely): leave + goByItself(record, surely: surely, served: true)
    case .listenerClosed: leave + halt(record, then: .fail)
    case .exited(let exit): leave + unasked(exit, record)
    // READY=1 repeats after a reload; awake; the new file is for the next start
    case .ready, .wakeRequested, .changed: []
    case .hold, .holdRunning, .held, .holdFailed, .connection, .started, .startFailed, .startTimedOut, .frozen,
      .freezeFailed, .stirred, .gateClosed, .gateFailed, .used, .unused, .lookDue, .drainTimedOut, .stopTimedOut,
      .pauseOver, .staying:
      []  // late, or the answer to nothing
    }
  }

  mutating func whileDeactivating(_ deactivation: State.Deactivation, _ event: Event) -> [Effect] {
    switch event {
    case .exited: [.disarm(.stop), .openGate] + gone(deactivation)
    case .stopTimedOut: [.kill]
    case .wakeRequested where deactivation.next == .sleep: change(deactivation, to: .start)
    case .sleepRequested where deactivation.next == .start: change(deactivation, to: .sleep)
    case .release: change(deactivation, to: .release)
    case .wakeRequested, .sleepRequested, .changed: []  // nothing that would change what follows
    case .ready: []  // a boot that came to its end although it was told to halt
    case .hold, .holdRunning, .held, .holdFailed, .connection, .started, .startFailed, .startTimedOut, .steady, .idle,
      .freezeDue, .frozen, .freezeFailed, .stirred, .gateClosed, .gateFailed, .used, .unused, .lookDue, .drainTimedOut,
      .leaving, .staying, .listenerClosed, .pauseOver:
      []  // late, or the answer to nothing
    }
  }

  mutating func whileFailed(_ failure: State.Failure, _ event: Event) -> [Effect] {
    let disarm: [Effect] = [.disarm(.pause(failures: failure.record.failures))]
    return switch event {
    case .pauseOver: hold(failure.record.paid, then: failure.next)
    case .wakeRequested: disarm + hold(State.Record(), then: .start)
    case .sleepRequested: change(failure, to: .watch)
    case .changed: disarm + hold(State.Record(), then: .watch)  // perhaps it mends the fault
    case .release: disarm + release()
    case .hold, .holdRunning, .held, .holdFailed, .connection, .started, .startFailed, .ready, .startTimedOut, .steady,
      .idle, .freezeDue, .frozen, .freezeFailed, .stirred, .gateClosed, .gateFailed, .used, .unused, .lookDue,
      .drainTimedOut, .leaving, .staying, .listenerClosed, .exited, .stopTimedOut:
      []  // late, or the answer to nothing
    }
  }

  /// The guest that served is gone, and nobody had told it to.
  mutating func unasked(_ exit: Exit, _ record: State.Record) -> [Effect] {
    switch exit {
    // Asleep by its own will. It counts until the guest ran steadily: one that goes without serving would be woken for ever.
    case .poweredOff: hold(record.struckAgain, then: .watch)
    case .rebooted: reboot(record)
    case .crashed: fail(record.struckAgain, then: .watch)
    }
  }

  /// The guest is gone that was not ready yet, and nobody had told it to.
  mutating func unserved(_ exit: Exit, _ record: State.Record) -> [Effect] {
    switch exit {
    case .rebooted: reboot(record)
    case .poweredOff, .crashed: fail(record.struckAgain, then: .watch)
    }
  }

  /// The guest asked for a reboot; one that does nothing else pays with a pause.
  private mutating func reboot(_ record: State.Record) -> [Effect] {
    let record = record.struckAgain
    return record.failures > Backoff.allowance ? fail(record, then: .start) : hold(record, then: .start)
  }

  /// The guest that was told to halt is gone.
  mutating func gone(_ deactivation: State.Deactivation) -> [Effect] {
    switch deactivation.next {
    case .sleep: hold(deactivation.record, then: .watch)
    case .start: hold(deactivation.record, then: .start)
    case .fail: fail(deactivation.record.struckAgain, then: .watch)
    case .release: release()
    }
  }
}
