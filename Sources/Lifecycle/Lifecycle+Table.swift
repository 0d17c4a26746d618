// One function for each state, each a switch over every event.
extension Lifecycle {
  mutating func whileUnbound(_ event: Event) -> [Effect] {
    switch event {
    case .bind: hold(State.Record(), then: .watch)
    // An earlier daemon may have left it frozen.
    case .adopt: [.thaw] + drain(State.Record(), then: .sleep)
    case .wakeRequested, .sleepRequested, .changed, .release: []  // let go: whoever asks is told so by the state
    case .bound, .bindFailed, .connection, .started, .startFailed, .ready, .startTimedOut, .stable, .idle, .freezeDue,
      .frozen, .freezeFailed, .activity, .diverted, .divertFailed, .used, .unused, .rescanDue, .drainTimedOut,
      .selfShutdown,
      .shutdownAborted, .listenerClosed, .exited, .stopTimedOut, .pauseOver:
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
    case .release: release()
    // `held` comes first (`EventQueue`)
    case .wakeRequested, .sleepRequested, .changed: []
    case .bind, .adopt, .connection, .started, .startFailed, .ready, .startTimedOut, .stable, .idle, .freezeDue,
      .frozen, .freezeFailed, .activity, .diverted, .divertFailed, .used, .unused, .rescanDue, .drainTimedOut,
      .selfShutdown,
      .shutdownAborted, .listenerClosed, .exited, .stopTimedOut, .pauseOver:
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
    case .bindFailed: [.unwatchListeners] + fail(record.struckAgain, then: .watch)
    case .stable: quieten()
    case .sleepRequested: []  // asleep
    case .bind, .adopt, .bound, .started, .startFailed, .ready, .startTimedOut, .idle, .freezeDue, .frozen,
      .freezeFailed, .activity, .diverted, .divertFailed, .used, .unused, .rescanDue, .drainTimedOut, .selfShutdown,
      .shutdownAborted,
      .listenerClosed, .exited, .stopTimedOut, .pauseOver:
      []  // late, or the answer to nothing
    }
  }

  mutating func whileLaunching(_ record: State.Record, _ event: Event) -> [Effect] {
    switch event {
    case .started: awaitReadiness(record)
    case .startFailed: fail(record.struckAgain, then: .watch)
    case .wakeRequested, .sleepRequested, .changed, .release: []  // `started` comes first (`EventQueue`)
    case .bind, .adopt, .bound, .bindFailed, .connection, .ready, .startTimedOut, .stable, .idle, .freezeDue,
      .frozen, .freezeFailed, .activity, .diverted, .divertFailed, .used, .unused, .rescanDue, .drainTimedOut,
      .selfShutdown,
      .shutdownAborted, .listenerClosed, .exited, .stopTimedOut, .pauseOver:
      []  // late, or the answer to nothing
    }
  }

  mutating func whileActivating(_ record: State.Record, _ event: Event) -> [Effect] {
    switch event {
    case .ready: serve(record)
    case .startTimedOut: halt(record, then: .fail)
    case .sleepRequested: [.disarm(.start)] + halt(record, then: .sleep)
    case .release: [.disarm(.start)] + halt(record, then: .release)
    case .selfShutdown(let confirmed): [.disarm(.start)] + shutDownByItself(record, confirmed: confirmed, served: false)
    case .exited(let exit): [.disarm(.start)] + unserved(exit, record)
    case .wakeRequested, .changed: []  // on its way; the new file is for the next start
    case .bind, .adopt, .bound, .bindFailed, .connection, .started, .startFailed, .stable, .idle, .freezeDue,
      .frozen, .freezeFailed, .activity, .diverted, .divertFailed, .used, .unused, .rescanDue, .drainTimedOut,
      .shutdownAborted,
      .listenerClosed, .stopTimedOut, .pauseOver:
      []  // late, or the answer to nothing
    }
  }

  mutating func whileActive(_ record: State.Record, _ event: Event) -> [Effect] {
    let leave: [Effect] = [.disarm(.stable), .unwatchIdleness]
    return switch event {
    case .stable: forgetFailures()
    case .freezeDue: freeze(record)
    case .idle: [.disarm(.stable)] + part(State.Record())  // it served whoever came: earlier failures are mended
    case .sleepRequested(now: false): [.disarm(.stable)] + part(record)
    // as it was asked for, it is no failure whatever was before, and whoever comes next waits for no pause
    case .sleepRequested(now: true): leave + drain(State.Record(), then: .sleep)
    case .release: leave + drain(record, then: .release)
    case .selfShutdown(let confirmed): leave + shutDownByItself(record, confirmed: confirmed, served: true)
    case .listenerClosed: leave + halt(record, then: .fail)
    case .exited(let exit): leave + unasked(exit, record)
    // READY=1 repeats after a reload; awake; the new file is for the next start
    case .ready, .wakeRequested, .changed: []
    case .bind, .adopt, .bound, .bindFailed, .connection, .started, .startFailed, .startTimedOut, .frozen,
      .freezeFailed, .activity, .diverted, .divertFailed, .used, .unused, .rescanDue, .drainTimedOut, .stopTimedOut,
      .pauseOver, .shutdownAborted:
      []  // late, or the answer to nothing
    }
  }

  mutating func whileDeactivating(_ deactivation: State.Deactivation, _ event: Event) -> [Effect] {
    switch event {
    case .exited: [.disarm(.stop), .restore] + gone(deactivation)
    case .stopTimedOut: [.kill]
    case .wakeRequested where deactivation.next == .sleep: change(deactivation, to: .start)
    case .sleepRequested where deactivation.next == .start: change(deactivation, to: .sleep)
    case .release: change(deactivation, to: .release)
    case .wakeRequested, .sleepRequested, .changed: []  // nothing that would change what follows
    case .ready: []  // a boot that came to its end although it was told to halt
    case .bind, .adopt, .bound, .bindFailed, .connection, .started, .startFailed, .startTimedOut, .stable, .idle,
      .freezeDue, .frozen, .freezeFailed, .activity, .diverted, .divertFailed, .used, .unused, .rescanDue,
      .drainTimedOut,
      .selfShutdown, .shutdownAborted, .listenerClosed, .pauseOver:
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
    case .bind, .adopt, .bound, .bindFailed, .connection, .started, .startFailed, .ready, .startTimedOut, .stable,
      .idle, .freezeDue, .frozen, .freezeFailed, .activity, .diverted, .divertFailed, .used, .unused, .rescanDue,
      .drainTimedOut, .selfShutdown, .shutdownAborted, .listenerClosed, .exited, .stopTimedOut:
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
