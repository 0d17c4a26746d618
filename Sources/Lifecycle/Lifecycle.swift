/// A guest's life as a table: state × event → effects. `Lifecycle+Table.swift` has one function for each state, each a switch over
/// every event.
///
/// Rules that the table keeps, and its random walks prove: the listeners are watched only while no PID 1 may exist, or all of the
/// guest is frozen; a start is never asked for while one may exist; a guest that served is told to halt only when new clients wait
/// apart from it and its queue was taken, and they come to the listeners again whenever it goes on or is gone; one that only seems to
/// shut down is not killed; out of every state but `released` some event leads on.
public struct Lifecycle: Equatable, Sendable {
  /// Where the guest is; only `handle` leads on.
  public internal(set) var state = State.unbound

  public init() {}

  /// Takes the event in and says what is to be done, in order.
  ///
  /// An event may come late: its timer fired, or its datagram was sent, in the turn in which the state was left. Such events,
  /// and answers to effects that were not asked for, change nothing.
  public mutating func handle(_ event: Event) -> [Effect] {
    switch state {
    case .unbound: whileUnbound(event)
    case .binding(let binding): whileBinding(binding, event)
    case .inactive(let record): whileInactive(record, event)
    case .launching(let record): whileLaunching(record, event)
    case .activating(let record): whileActivating(record, event)
    case .active(let record): whileActive(record, event)
    case .freezing(let record): whileFreezing(record, event)
    case .frozen(let record): whileFrozen(record, event)
    case .parting(let parting): whileParting(parting, event)
    case .selfShutdown(let shutdown): whileSelfShutdown(shutdown, event)
    case .deactivating(let deactivation): whileDeactivating(deactivation, event)
    case .failed(let failure): whileFailed(failure, event)
    }
  }
}

// The steps between states: each sets the state and says what its entry asks for.
extension Lifecycle {
  mutating func hold(_ record: State.Record, then next: State.Binding.Next) -> [Effect] {
    state = .binding(.init(record, then: next))
    return [.bindListeners]
  }

  mutating func watch(_ record: State.Record) -> [Effect] {
    state = .inactive(record)
    return [.watchListeners]
  }

  mutating func start(_ record: State.Record) -> [Effect] {
    state = .launching(record)
    return [.start]
  }

  mutating func awaitReadiness(_ record: State.Record) -> [Effect] {
    state = .activating(record)
    return [.arm(.start)]
  }

  mutating func serve(_ record: State.Record) -> [Effect] {
    state = .active(record)
    return [.disarm(.start), .arm(.stable), .watchIdleness]
  }

  mutating func freeze(_ record: State.Record) -> [Effect] {
    state = .freezing(record)
    return [.disarm(.stable), .arm(.freeze), .freeze]
  }

  mutating func enterFrozen(_ record: State.Record) -> [Effect] {
    state = .frozen(record)
    return [.disarm(.freeze), .watchWhileFrozen]
  }

  /// Whoever thaws a guest has stepped back from its listeners before.
  mutating func thaw(_ record: State.Record) -> [Effect] {
    state = .active(record)
    return [.thaw, .arm(.stable)]
  }

  mutating func forgetFailures() -> [Effect] {
    state = .active(State.Record())
    return []
  }

  mutating func quieten() -> [Effect] {
    state = .inactive(State.Record())
    return []
  }

  /// Halts a guest that does not serve, or not as it should: nobody is waited for.
  mutating func halt(_ record: State.Record, then next: State.Deactivation.Next) -> [Effect] {
    state = .deactivating(.init(record, then: next))
    return [.divert, .drainQueues, .requestHalt, .arm(.stop)]
  }

  /// Halts it if nobody uses it.
  mutating func part(_ record: State.Record) -> [Effect] {
    state = .parting(.init(record, then: .sleep, cancellable: true))
    return [.divert]
  }

  /// Halts it when those have done who use it, or after a while.
  mutating func drain(_ record: State.Record, then next: State.Deactivation.Next) -> [Effect] {
    state = .parting(.init(record, then: next, cancellable: false))
    return [.divert, .arm(.drain)]
  }

  mutating func change(_ deactivation: State.Deactivation, to next: State.Deactivation.Next) -> [Effect] {
    state = .deactivating(.init(deactivation.record, then: next))
    return []
  }

  mutating func fail(_ record: State.Record, then next: State.Binding.Next) -> [Effect] {
    state = .failed(.init(record, then: next))
    return [.arm(.pause(failures: record.failures))]
  }

  mutating func change(_ failure: State.Failure, to next: State.Binding.Next) -> [Effect] {
    state = .failed(.init(failure.record, then: next))
    return []
  }

  mutating func release() -> [Effect] {
    state = .unbound
    return [.unbindListeners]
  }
}
