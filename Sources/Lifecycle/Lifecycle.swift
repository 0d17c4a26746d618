/// A guest's life as a table: state × event → effects. `Lifecycle+Asleep.swift`, `+Awake` and `+Stopping` have one function for each
/// state, each a switch over every event.
///
/// Rules that the table keeps, and that its random walks check: the listeners are watched only while no PID 1 may exist, or the guest is
/// frozen or being frozen; a start is never asked for while a PID 1 may exist; a guest that served is told to halt only when new clients
/// are parked and its queues were drained, and they are steered back whenever it keeps running or has ended; a guest that only seems to
/// shut down is not killed; some event leads out of every state but `unbound`.
public struct Lifecycle: Equatable, Sendable {
  /// Where the guest is. Only `handle` changes it.
  public internal(set) var state = State.pending

  public init() {}

  /// Handles an event: changes the state and returns the effects, in order.
  ///
  /// An event may come late: its timer fired, or its datagram was sent, in the same turn of the loop in which the state was left. Such
  /// events, and answers to effects that are not wanted any more, change nothing.
  public mutating func handle(_ event: Event) -> [Effect] {
    switch state {
    case .pending: whilePending(event)
    case .unbound: whileUnbound(event)
    case .binding(let binding): whileBinding(binding, event)
    case .inactive(let record): whileInactive(record, event)
    case .queued(let record): whileQueued(record, event)
    case .launching(let launch): whileLaunching(launch, event)
    case .preparing(let record): whilePreparing(record, event)
    case .activating(let record): whileActivating(record, event)
    case .active(let record): whileActive(record, event)
    case .freezing(let freezing): whileFreezing(freezing, event)
    case .frozen(let record): whileFrozen(record, event)
    case .stopPending(let pending): whileStopPending(pending, event)
    case .draining(let deactivation): whileDraining(deactivation, event)
    case .selfShutdown(let shutdown): whileSelfShutdown(shutdown, event)
    case .deactivating(let deactivation): whileDeactivating(deactivation, event)
    case .failed(let failure): whileFailed(failure, event)
    }
  }
}

// The steps between states: each sets the state and returns what its entry asks for.
extension Lifecycle {
  mutating func bind(_ record: State.Record, then next: State.Binding.Next) -> [Effect] {
    state = .binding(.init(record, then: next))
    return [.bindListeners]
  }

  mutating func watch(_ record: State.Record) -> [Effect] {
    state = .inactive(record)
    return [.watchListeners]
  }

  /// Starts the guest when it has a place: guests that all start at the same time would make each other's clients wait.
  mutating func start(_ record: State.Record) -> [Effect] {
    state = .queued(record)
    return [.requestPlace]
  }

  mutating func launch(_ record: State.Record) -> [Effect] {
    state = .launching(.init(record))
    return [.arm(.start), .start]
  }

  /// The deadline of the start is running.
  mutating func awaitReadiness(_ record: State.Record) -> [Effect] {
    state = .activating(record)
    return []
  }

  mutating func serve(_ record: State.Record) -> [Effect] {
    state = .active(record)
    return [.disarm(.start), .arm(.stable), .watchIdleness]
  }

  mutating func freeze(_ record: State.Record, asked: Bool) -> [Effect] {
    state = .freezing(.init(record, asked: asked))
    return [.disarm(.stable), .arm(.freeze), .freeze]
  }

  mutating func watchWhileFrozen(_ record: State.Record, asked: Bool) -> [Effect] {
    state = .frozen(record)
    return [.watchWhileFrozen(asked: asked)]
  }

  /// Thaws the guest; `handBack` has to come before. In two stages, unless the guest is to end.
  func thaw(staged: Bool = true) -> [Effect] { [.thaw(staged: staged), .disarmAlarm] }

  mutating func thawToServe(_ record: State.Record) -> [Effect] {
    state = .active(record)
    return thaw() + [.resumeIdleness, .arm(.stable)]
  }

  /// Thaws a guest that could not be frozen, and watches its idleness as before.
  mutating func thawInVain(_ record: State.Record) -> [Effect] {
    state = .active(record)
    return thaw() + [.postponeFreezing, .arm(.stable)]
  }

  mutating func remember(_ record: State.Record) -> [Effect] {
    state = .active(record)
    return []
  }

  /// Stops the guest if nobody uses it.
  mutating func decideStop(_ record: State.Record, _ cause: State.StopPending.Cause) -> [Effect] {
    state = .stopPending(.init(record, cause))
    return [.divert(.restorable)]
  }

  /// Stops the guest when those who use it have finished, or after a while.
  mutating func drain(_ record: State.Record, _ cause: HaltCause, then next: State.Halt.Next) -> [Effect] {
    state = .draining(.init(record, .init(cause, then: next)))
    return [.divert(.all), .arm(.drain)]
  }

  /// Stops a guest that does not serve, or not as it should, without waiting for clients.
  mutating func halt(_ record: State.Record, _ cause: HaltCause, then next: State.Halt.Next) -> [Effect] {
    [.divert(.all)] + requestHalt(record, .init(cause, then: next))
  }

  /// Tells PID 1 to halt. New clients are parked already.
  mutating func requestHalt(_ record: State.Record, _ halt: State.Halt) -> [Effect] {
    state = .deactivating(.init(record, halt))
    return [.drainQueues, .requestHalt(halt.cause), .arm(.stop)]
  }

  /// PID 1 reports that it shuts down: clients that it has not accepted are parked too, because it would lose them.
  mutating func shutDownByItself(_ record: State.Record, confirmed: Bool, served: Bool) -> [Effect] {
    state = .selfShutdown(.init(record, confirmed: confirmed, served: served))
    return [.quiesce, .divert(.all), .drainQueues, .resume, .arm(.stop)]
  }

  mutating func fail(_ record: State.Record, then next: State.Binding.Next) -> [Effect] {
    let pause: [Effect] = [.arm(.pause(failures: record.failures))]
    guard record.isRefused else {
      state = .failed(.init(record, then: next))
      return pause
    }
    // All clients are refused, so after the pause the guest waits for the next one instead of starting.
    state = .failed(.init(record, then: .watch))
    return pause + [.refuseClients]
  }

  mutating func unbind() -> [Effect] {
    state = .unbound
    return [.unbindListeners]
  }
}

// What follows the end of an instance.
extension Lifecycle {
  /// A guest that served has ended, and Dormouse had not stopped it.
  mutating func unasked(_ exit: Exit, _ record: State.Record) -> [Effect] {
    switch exit {
    // It powered itself off, which counts as a failure until it was stable: a guest that ends without serving would be woken for ever.
    case .poweredOff: bind(record.struckAgain, then: .watch)
    case .rebooted: reboot(record)
    case .crashed: fail(record.struckAgain, then: .watch)
    }
  }

  /// A guest that was not ready yet has ended, and Dormouse had not stopped it.
  mutating func unserved(_ exit: Exit, _ record: State.Record) -> [Effect] {
    switch exit {
    case .rebooted: reboot(record)
    case .poweredOff, .crashed: fail(record.struckAgain, then: .watch)
    }
  }

  /// The guest reboots: it is started again, after a pause if it does nothing but reboot.
  private mutating func reboot(_ record: State.Record) -> [Effect] {
    let record = record.struckAgain
    return record.failures > Backoff.allowance ? fail(record, then: .start) : bind(record, then: .start)
  }

  /// A guest that Dormouse stopped has ended.
  mutating func gone(_ record: State.Record, _ next: State.Halt.Next) -> [Effect] {
    switch next {
    case .sleep: bind(record, then: .watch)
    case .start: bind(record, then: .start)
    case .fail: fail(record.struckAgain, then: .watch)
    case .release: unbind()
    }
  }
}
