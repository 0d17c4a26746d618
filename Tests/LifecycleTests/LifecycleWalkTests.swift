import Testing

@testable import Lifecycle

/// A world that does what the effects ask for and lets anything happen that may: used for random walks.
private struct World {
  var lifecycle = Lifecycle()
  var watching = false
  var held = false
  var guestLives = false
  var watchingIdleness = false
  var frozen = false
  /// It was to go on, which failed and is tried again.
  var isThawOverdue = false
  /// New clients wait apart.
  var apart = false
  /// They were to come back, which failed and is tried again.
  var isRestoreOverdue = false
  /// There was no place for all of them, when it was last tried.
  var divertFailed = false
  /// Somebody was found to use the guest, when it was last looked.
  var foundUsed = false
  var killed = false
  var armed: Set<Timer> = []

  /// Does the effects of what happened in one turn, with the answers that they bring; `answer` says whether a holding or a start
  /// succeeds.
  mutating func take(_ happened: Event..., answer: () -> Bool) {
    var events = EventQueue()
    for event in happened { events.add(event) }
    while let event = events.next() {
      events.isPerforming = true
      defer { events.isPerforming = false }
      var queuesTaken = false
      for effect in lifecycle.handle(event) {
        switch effect {
        case .bindListeners:
          held = answer()
          events.add(held ? .bound : .bindFailed)
        case .watchListeners:
          #expect(held && !watching)
          watching = true
        case .unwatchListeners:
          #expect(watching)
          watching = false
        case .unbindListeners: held = false
        case .start:
          #expect(!guestLives && held)
          guestLives = answer()
          events.add(guestLives ? .started : .startFailed)
        case .freeze:
          #expect(guestLives && !watching)
          frozen = answer()
          isThawOverdue = false
          events.add(frozen ? .frozen : .freezeFailed)
        case .watchWhileFrozen:
          #expect(frozen && !watching)
          watching = true
        case .handBack:
          #expect(watching)
          watching = false
        case .thaw:
          #expect(!watching)
          resume(answer())
        case .divert:
          isRestoreOverdue = false
          divertFailed = !answer()
          // Of several listeners some may be apart all the same.
          apart = apart || !divertFailed || answer()
          events.add(divertFailed ? .divertFailed : .diverted)
        case .restore:
          isRestoreOverdue = apart && guestLives && !answer()
          apart = isRestoreOverdue
          (divertFailed, foundUsed) = (false, false)
        case .rescan:
          #expect(guestLives)
          foundUsed = !answer()
          events.add(foundUsed ? .used : .unused)
        case .drainQueues:
          #expect(guestLives)
          #expect(apart || divertFailed, "who is taken from the guest has a place to wait")
          queuesTaken = true
        case .quiesce:
          #expect(guestLives && (!frozen || isThawOverdue))
          frozen = true
        case .resume:
          #expect(frozen)
          resume(answer())
        case .requestHalt:
          #expect(guestLives && (!frozen || isThawOverdue), "a frozen guest hears nothing")
          #expect(queuesTaken && (apart || divertFailed), "a guest that is told to halt has no queue")
          #expect(!foundUsed || event.endsPatience, "a guest that is told to halt is used by nobody")
        case .kill:
          #expect(guestLives)
          #expect(lifecycle.state.mayBeKilled, "a guest that perhaps goes on is not killed")
          killed = true
        case .watchIdleness:
          #expect(!watchingIdleness)
          watchingIdleness = true
        case .unwatchIdleness:
          #expect(watchingIdleness)
          watchingIdleness = false
        case .arm(let timer):
          #expect(!armed.contains(timer))
          armed.insert(timer)
        case .disarm(let timer): armed.remove(timer)
        }
        #expect(!(watching && guestLives && !isFrozen), "daemon and guest watch a listener together")
      }
    }
    #expect(watchingIdleness == (lifecycle.state.word == .active || lifecycle.state.word == .frozen))
    #expect(isFrozen == (lifecycle.state.word == .frozen))
    #expect(lifecycle.state.mayRun == guestLives)
    #expect(
      !apart || isRestoreOverdue || lifecycle.state.parksClients, "clients wait apart from a guest that goes on")
    #expect(
      !lifecycle.state.isOnItsWayOut || armed.contains(.stop) || killed, "nothing ends a guest that does not go")
  }

  /// By the daemon's will, and until it wants otherwise.
  var isFrozen: Bool { frozen && !isThawOverdue }

  private mutating func resume(_ succeeds: Bool) {
    isThawOverdue = frozen && !succeeds
    frozen = isThawOverdue
  }

  /// The guest is gone, and with it what was still to be done about it.
  mutating func end() {
    // Who was to come back to it is there for the next start.
    apart = apart && !isRestoreOverdue
    (guestLives, frozen, isThawOverdue, killed, isRestoreOverdue) = (false, false, false, false, false)
  }

  /// The events that this world can bring now; the late ones included.
  var possible: [Event] {
    var events: [Event] = [
      .wakeRequested, .sleepRequested(now: true), .sleepRequested(now: false), .changed, .idle, .listenerClosed,
      .stable,
      .ready, .freezeDue, .activity, .selfShutdown(confirmed: true), .selfShutdown(confirmed: false), .shutdownAborted,
    ]
    if watching { events.append(.connection) }
    if guestLives { events += Exit.allCases.map { .exited($0) } }
    for timer in armed.sorted(by: { "\($0)" < "\($1)" }) { events.append(timer.event) }
    return events
  }
}

extension Timer {
  fileprivate var event: Event {
    switch self {
    case .start: .startTimedOut
    case .stop: .stopTimedOut
    case .freeze: .freezeFailed
    case .look: .rescanDue
    case .drain: .drainTimedOut
    case .stable: .stable
    case .pause: .pauseOver
    }
  }
}

extension Event {
  /// Who uses a guest that has to go is waited for until then.
  fileprivate var endsPatience: Bool {
    switch self {
    case .drainTimedOut, .stopTimedOut, .selfShutdown: true
    case .bind, .adopt, .bound, .bindFailed, .connection, .wakeRequested, .started, .startFailed, .ready,
      .startTimedOut, .stable, .idle, .freezeDue, .frozen, .freezeFailed, .activity, .diverted, .divertFailed, .used,
      .unused, .rescanDue, .shutdownAborted, .sleepRequested, .listenerClosed, .exited, .pauseOver, .changed, .release:
      false
    }
  }
}

extension State {
  fileprivate var isOnItsWayOut: Bool {
    switch self {
    case .selfShutdown, .deactivating: true
    case .unbound, .binding, .inactive, .launching, .activating, .active, .freezing, .frozen, .parting, .failed: false
    }
  }

  fileprivate var mayBeKilled: Bool {
    if case .selfShutdown(let shutdown) = self { shutdown.isConfirmed } else { true }
  }

  fileprivate var parksClients: Bool {
    switch self {
    case .parting, .selfShutdown, .deactivating: true
    case .unbound, .binding, .inactive, .launching, .activating, .active, .freezing, .frozen, .failed: false
    }
  }
}

/// A small generator with a seed, so that a failed walk can be walked again.
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

@Suite("Random walks over the life of a guest")
struct LifecycleWalkTests {
  @Test("Daemon and guest never watch a listener together, and every state is left", arguments: 0..<200)
  func walk(seed: UInt64) {
    var random = SplitMix(state: seed)
    var world = World()
    if seed % 5 == 0 { world.guestLives = true }
    world.take(world.guestLives ? .adopt : .bind) { true }
    for _ in 0..<500 {
      guard let event = world.possible.randomElement(using: &random) else { break }
      if let timer = world.armed.first(where: { $0.event == event }) { world.armed.remove(timer) }
      if case .exited = event { world.end() }
      world.take(event) { Int.random(in: 0..<4, using: &random) > 0 }
      #expect(leadsOn(from: world), "stuck in \(world.lifecycle.state)")
    }
    // The daemon's end: whatever the state and whatever else was asked in the same turn, the guest goes and the listeners are let
    // go.
    world.take(.wakeRequested, .release) { true }
    if world.guestLives {
      world.end()
      world.take(.exited(.crashed)) { true }
    }
    #expect(world.lifecycle.state == .unbound)
    #expect(!world.held && !world.watching)
    world.armed.removeAll()
  }

  /// Something that will happen by itself, or that a client can do, moves this state.
  private func leadsOn(from world: World) -> Bool {
    switch world.lifecycle.state {
    case .unbound, .binding, .launching: false
    case .inactive, .frozen: world.watching
    case .freezing: world.armed.contains(.freeze)
    case .activating: world.armed.contains(.start)
    case .active: world.watchingIdleness
    case .deactivating, .selfShutdown: world.guestLives
    case .parting(let parting): !parting.isCancellable && world.armed.contains(.drain)
    case .failed: world.armed.contains { if case .pause = $0 { true } else { false } }
    }
  }
}
