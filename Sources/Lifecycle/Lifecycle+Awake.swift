// The states of a guest that starts, serves or is frozen, each a switch over every event.
extension Lifecycle {
  mutating func whileLaunching(_ launch: State.Launch, _ event: Event) -> [Effect] {
    switch event {
    case .started: launched(launch)
    case .startFailed: [.disarm(.start)] + notLaunched(launch)
    // Its place and its deadline are for the start that follows.
    case .startDelayed: [.disarm(.start)] + delayed(launch)
    // The process that was to become PID 1 ended before `started` was reported.
    case .exited(let exit): [.disarm(.start)] + ended(launch, exit)
    // Whatever exists of the guest is killed; `startFailed` or `exited` follows. A stop that was requested before stays in force, because
    // the daemon's own end would be forgotten otherwise.
    case .startTimedOut where launch.halt != nil: [.kill(.startTimeout)]
    case .startTimedOut: change(launch, to: .init(.startTimeout, then: .fail)) + [.kill(.startTimeout)]
    case .sleepRequested where launch.halt != nil: []  // it ends, and what follows is decided
    case .sleepRequested: change(launch, to: .init(.request, then: .sleep))
    case .release(let cause): change(launch, to: .init(cause, then: .release))
    case .wakeRequested: wakeWhileLaunching(launch)
    case .killRequested: launch.halt == nil ? [] : [.kill(.request)]
    case .freezeRequested: [.refuse(.freezeNotActive)]
    case .thawRequested, .changed: []  // the new file is for the next start
    case .bind, .adopt, .bound, .bindFailed, .connection, .placeGranted, .prepared, .ready, .stable, .idle, .freezeDue,
      .freezeDelayed, .frozen, .freezeFailed, .activity, .diverted, .divertFailed, .used, .unused, .leftOver,
      .scanFailed, .rescanDue, .drainTimedOut, .selfShutdown, .shutdownAborted, .parkedTooLong, .listenerClosed,
      .stopTimedOut, .pauseOver, .haltUnheard:
      []  // late, or the answer to nothing
    }
  }

  private mutating func launched(_ launch: State.Launch) -> [Effect] {
    guard let halt = launch.halt else { return awaitReadiness(launch.record) }
    return [.disarm(.start)] + self.halt(launch.record, halt.cause, then: halt.next)
  }

  private mutating func delayed(_ launch: State.Launch) -> [Effect] {
    guard let halt = launch.halt else {
      state = .preparing(launch.record)
      return []
    }
    return [.abandonPreparation] + gone(launch.record, halt.next)
  }

  private mutating func notLaunched(_ launch: State.Launch) -> [Effect] {
    guard let halt = launch.halt else { return fail(launch.record.struckAgain, then: .watch) }
    return gone(launch.record, halt.next)
  }

  private mutating func ended(_ launch: State.Launch, _ exit: Exit) -> [Effect] {
    guard let halt = launch.halt else { return unserved(exit, launch.record) }
    return gone(launch.record, halt.next)
  }

  private mutating func change(_ launch: State.Launch, to halt: State.Halt) -> [Effect] {
    state = .launching(.init(launch.record, halt: halt))
    return []
  }

  private mutating func wakeWhileLaunching(_ launch: State.Launch) -> [Effect] {
    // A guest that is to be stopped for good, or is being killed, is not kept by a wake.
    if launch.halt?.next == .sleep { state = .launching(.init(launch.record)) }
    return []
  }

  mutating func whileActivating(_ record: State.Record, _ event: Event) -> [Effect] {
    switch event {
    case .ready: serve(record)
    case .startTimedOut: halt(record, .startTimeout, then: .fail)
    case .sleepRequested(now: false, inUse: true): [.refuse(.sleepInUse)]
    case .sleepRequested: [.disarm(.start)] + halt(record, .request, then: .sleep)
    case .release(let cause): [.disarm(.start)] + halt(record, cause, then: .release)
    case .selfShutdown(let confirmed):
      [.disarm(.start)] + shutDownByItself(record, confirmed: confirmed, served: false)
    case .exited(let exit): [.disarm(.start)] + unserved(exit, record)
    case .freezeRequested: [.refuse(.freezeNotActive)]
    case .wakeRequested, .thawRequested, .changed: []  // on its way; the new file is for the next start
    case .bind, .adopt, .bound, .bindFailed, .connection, .placeGranted, .startDelayed, .prepared, .started,
      .startFailed, .stable, .idle, .freezeDue, .freezeDelayed, .frozen, .freezeFailed, .activity, .diverted,
      .divertFailed, .used, .unused, .leftOver, .scanFailed, .rescanDue, .drainTimedOut, .shutdownAborted,
      .parkedTooLong, .listenerClosed, .stopTimedOut, .killRequested, .pauseOver, .haltUnheard:
      []  // late, or the answer to nothing
    }
  }

  mutating func whileActive(_ record: State.Record, _ event: Event) -> [Effect] {
    let leave: [Effect] = [.disarm(.stable), .unwatchIdleness]
    return switch event {
    case .stable(served: true): remember(State.Record())
    case .stable(served: false): []  // whoever woke it waits still
    case .freezeDue: freeze(record, asked: false)
    case .freezeRequested(now: false, inUse: true): [.refuse(.freezeInUse)]
    case .freezeRequested: freeze(record, asked: true)
    case .idle(let served):
      [.disarm(.stable)] + decideStop(served ? State.Record() : record, served ? .idle : .idleUnserved)
    // The scan for clients comes when new ones are parked.
    case .sleepRequested(now: false, inUse: _): [.disarm(.stable)] + decideStop(record, .request)
    // A requested stop is no failure, whatever was before, and the next client waits for no pause.
    case .sleepRequested(now: true, inUse: _): leave + drain(State.Record(), .request, then: .sleep)
    case .parkedTooLong: leave + drain(State.Record(), .parkedTooLong, then: .sleep)
    case .release(let cause): leave + drain(record, cause, then: .release)
    case .selfShutdown(let confirmed): leave + shutDownByItself(record, confirmed: confirmed, served: true)
    case .listenerClosed: leave + halt(record, .listenerClosed, then: .fail)
    case .exited(let exit): leave + unasked(exit, record)
    // READY=1 repeats after a reload; awake; the new file is for the next start
    case .ready, .wakeRequested, .thawRequested, .changed: []
    case .bind, .adopt, .bound, .bindFailed, .connection, .placeGranted, .startDelayed, .prepared, .started,
      .startFailed, .startTimedOut, .freezeDelayed, .frozen, .freezeFailed, .activity, .diverted, .divertFailed, .used,
      .unused, .leftOver, .scanFailed, .rescanDue, .drainTimedOut, .shutdownAborted, .stopTimedOut, .killRequested,
      .pauseOver, .haltUnheard:
      []  // late, or the answer to nothing
    }
  }

  mutating func whileFreezing(_ freezing: State.Freezing, _ event: Event) -> [Effect] {
    let record = freezing.record
    let stop: [Effect] = [.disarm(.freeze), .handBack]
    let thawed = stop + thaw()
    let leave: [Effect] = thawed + [.unwatchIdleness]
    let leaveAtOnce: [Effect] = stop + thaw(staged: false) + [.unwatchIdleness]
    return switch event {
    case .freezeDelayed where !freezing.isComplete: [.watchWhileFreezing]
    case .frozen where !freezing.isComplete: scanFrozen(freezing)
    case .unused where freezing.isComplete: watchWhileFrozen(record, asked: freezing.isAsked)
    case .used where freezing.isComplete && freezing.isAsked, .leftOver where freezing.isComplete && freezing.isAsked:
      watchWhileFrozen(record, asked: true)
    case .leftOver where freezing.isComplete: thawInVain(record)
    // What came while it was being frozen wakes it at once.
    case .used where freezing.isComplete, .scanFailed where freezing.isComplete: thawToServe(record)
    case .freezeFailed: stop + thawInVain(record)
    case .connection, .wakeRequested, .thawRequested: stop + thawToServe(record)
    // Not if the freezing that is under way was requested itself: that request would be refused too.
    case .freezeRequested(now: false, inUse: true) where !freezing.isAsked: [.refuse(.freezeInUse)]
    case .freezeRequested: ask(freezing)
    case .idle(let served): thawed + decideStop(served ? State.Record() : record, served ? .idle : .idleUnserved)
    case .sleepRequested(now: false, inUse: _): thawed + decideStop(record, .request)
    case .sleepRequested(now: true, inUse: _): leave + drain(State.Record(), .request, then: .sleep)
    case .parkedTooLong: leave + drain(State.Record(), .parkedTooLong, then: .sleep)
    case .release(let cause): leave + drain(record, cause, then: .release)
    case .selfShutdown(let confirmed): leaveAtOnce + shutDownByItself(record, confirmed: confirmed, served: true)
    case .listenerClosed: leaveAtOnce + halt(record, .listenerClosed, then: .fail)
    case .exited(let exit): stop + [.disarmAlarm, .unwatchIdleness] + unasked(exit, record)
    // on its way; READY=1 repeats; the new file is for the next start
    case .freezeDue, .ready, .changed: []
    case .bind, .adopt, .bound, .bindFailed, .placeGranted, .startDelayed, .prepared, .started, .startFailed,
      .startTimedOut, .stable, .freezeDelayed, .frozen, .activity, .diverted, .divertFailed, .used, .unused, .leftOver,
      .scanFailed, .rescanDue, .drainTimedOut, .stopTimedOut, .killRequested, .pauseOver, .shutdownAborted,
      .haltUnheard:
      []  // late, or the answer to nothing
    }
  }

  /// All of the guest is frozen. The alarm comes before the scan: it reports what comes after that.
  private mutating func scanFrozen(_ freezing: State.Freezing) -> [Effect] {
    state = .freezing(.init(freezing.record, asked: freezing.isAsked, complete: true))
    return [.disarm(.freeze), .handBack, .armAlarm, .scan(.freezeDue)]
  }

  private mutating func ask(_ freezing: State.Freezing) -> [Effect] {
    state = .freezing(.init(freezing.record, asked: true, complete: freezing.isComplete))
    return []
  }

  mutating func whileFrozen(_ record: State.Record, _ event: Event) -> [Effect] {
    let thawed: [Effect] = [.handBack] + thaw()
    let leave: [Effect] = thawed + [.unwatchIdleness]
    let leaveAtOnce: [Effect] = [.handBack] + thaw(staged: false) + [.unwatchIdleness]
    return switch event {
    case .connection, .activity, .wakeRequested, .thawRequested: [.handBack] + thawToServe(record)
    case .idle(let served): thawed + decideStop(served ? State.Record() : record, served ? .idle : .idleUnserved)
    case .sleepRequested(now: false, inUse: true): [.refuse(.sleepInUse)]
    case .sleepRequested(now: false, inUse: false): thawed + decideStop(record, .request)
    case .sleepRequested(now: true, inUse: _): leave + drain(State.Record(), .request, then: .sleep)
    case .parkedTooLong: leave + drain(State.Record(), .parkedTooLong, then: .sleep)
    case .release(let cause): leave + drain(record, cause, then: .release)
    case .selfShutdown(let confirmed): leaveAtOnce + shutDownByItself(record, confirmed: confirmed, served: true)
    case .listenerClosed: leaveAtOnce + halt(record, .listenerClosed, then: .fail)
    case .exited(let exit): [.handBack, .disarmAlarm, .unwatchIdleness] + unasked(exit, record)
    // frozen already; a repeated message; the new file is for the next start
    case .freezeDue, .freezeRequested, .ready, .changed: []
    case .bind, .adopt, .bound, .bindFailed, .placeGranted, .startDelayed, .prepared, .started, .startFailed,
      .startTimedOut, .stable, .freezeDelayed, .frozen, .freezeFailed, .diverted, .divertFailed, .used, .unused,
      .leftOver, .scanFailed, .rescanDue, .drainTimedOut, .stopTimedOut, .killRequested, .pauseOver, .shutdownAborted,
      .haltUnheard:
      []  // late, or the answer to nothing
    }
  }
}
