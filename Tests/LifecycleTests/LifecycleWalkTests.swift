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
  var isReturnOverdue = false
  /// There was no place for all of them, when it was last tried.
  var gateFailed = false
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
        case .holdListeners:
          held = answer()
          events.add(held ? .held : .holdFailed)
        case .watchListeners:
          #expect(held && !watching)
          watching = true
        case .unwatchListeners:
          #expect(watching)
          watching = false
        case .releaseListeners: held = false
        case .start:
          #expect(!guestLives && held)
          guestLives = answer()
          events.add(guestLives ? .started : .startFailed)
        case .freeze:
          #expect(guestLives && !watching)
          frozen = answer()
          isThawOverdue = false
          events.add(frozen ? .frozen : .freezeFailed)
        case .standIn:
          #expect(frozen && !watching)
          watching = true
        case .stepBack:
          #expect(watching)
          watching = false
        case .thaw:
          #expect(!watching)
          letRun(answer())
        case .closeGate:
          isReturnOverdue = false
          gateFailed = !answer()
          // Of several listeners some may be apart all the same.
          apart = apart || !gateFailed || answer()
          events.add(gateFailed ? .gateFailed : .gateClosed)
        case .openGate:
          isReturnOverdue = apart && guestLives && !answer()
          apart = isReturnOverdue
          (gateFailed, foundUsed) = (false, false)
        case .lookAgain:
          #expect(guestLives)
          foundUsed = !answer()
          events.add(foundUsed ? .used : .unused)
        case .takeQueues:
          #expect(guestLives)
          #expect(apart || gateFailed, "who is taken from the guest has a place to wait")
          queuesTaken = true
        case .holdStill:
          #expect(guestLives && (!frozen || isThawOverdue))
          frozen = true
        case .letRun:
          #expect(frozen)
          letRun(answer())
        case .askToHalt:
          #expect(guestLives && (!frozen || isThawOverdue), "a frozen guest hears nothing")
          #expect(queuesTaken && (apart || gateFailed), "a guest that is told to halt has no queue")
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
        #expect(!(watching && guestLives && !standsStill), "daemon and guest watch a listener together")
      }
    }
    #expect(watchingIdleness == (lifecycle.state.word == .active || lifecycle.state.word == .frozen))
    #expect(standsStill == (lifecycle.state.word == .frozen))
    #expect(lifecycle.state.mayRun == guestLives)
    #expect(
      !apart || isReturnOverdue || lifecycle.state.keepsClientsApart, "clients wait apart from a guest that goes on")
    #expect(
      !lifecycle.state.isOnItsWayOut || armed.contains(.stop) || killed, "nothing ends a guest that does not go")
  }

  /// By the daemon's will, and until it wants otherwise.
  var standsStill: Bool { frozen && !isThawOverdue }

  private mutating func letRun(_ succeeds: Bool) {
    isThawOverdue = frozen && !succeeds
    frozen = isThawOverdue
  }

  /// The guest is gone, and with it what was still to be done about it.
  mutating func end() {
    // Who was to come back to it is there for the next start.
    apart = apart && !isReturnOverdue
    (guestLives, frozen, isThawOverdue, killed, isReturnOverdue) = (false, false, false, false, false)
  }

  /// The events that this world can bring now; the late ones included.
  var possible: [Event] {
    var events: [Event] = [
      .wakeRequested, .sleepRequested(now: true), .sleepRequested(now: false), .changed, .idle, .listenerClosed,
      .steady,
      .ready, .freezeDue, .stirred, .leaving(surely: true), .leaving(surely: false), .staying,
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
    case .look: .lookDue
    case .drain: .drainTimedOut
    case .steady: .steady
    case .pause: .pauseOver
    }
  }
}

extension Event {
  /// Who uses a guest that has to go is waited for until then.
  fileprivate var endsPatience: Bool {
    switch self {
    case .drainTimedOut, .stopTimedOut, .leaving: true
    case .hold, .holdRunning, .held, .holdFailed, .connection, .wakeRequested, .started, .startFailed, .ready,
      .startTimedOut, .steady, .idle, .freezeDue, .frozen, .freezeFailed, .stirred, .gateClosed, .gateFailed, .used,
      .unused, .lookDue, .staying, .sleepRequested, .listenerClosed, .exited, .pauseOver, .changed, .release:
      false
    }
  }
}

extension State {
  fileprivate var isOnItsWayOut: Bool {
    switch self {
    case .leaving, .deactivating: true
    case .released, .holding, .inactive, .launching, .activating, .active, .freezing, .frozen, .parting, .failed: false
    }
  }

  fileprivate var mayBeKilled: Bool {
    if case .leaving(let leaving) = self { leaving.isSure } else { true }
  }

  fileprivate var keepsClientsApart: Bool {
    switch self {
    case .parting, .leaving, .deactivating: true
    case .released, .holding, .inactive, .launching, .activating, .active, .freezing, .frozen, .failed: false
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
    world.take(world.guestLives ? .holdRunning : .hold) { true }
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
    #expect(world.lifecycle.state == .released)
    #expect(!world.held && !world.watching)
    world.armed.removeAll()
  }

  /// Something that will happen by itself, or that a client can do, moves this state.
  private func leadsOn(from world: World) -> Bool {
    switch world.lifecycle.state {
    case .released, .holding, .launching: false
    case .inactive, .frozen: world.watching
    case .freezing: world.armed.contains(.freeze)
    case .activating: world.armed.contains(.start)
    case .active: world.watchingIdleness
    case .deactivating, .leaving: world.guestLives
    case .parting(let parting): !parting.isCancellable && world.armed.contains(.drain)
    case .failed: world.armed.contains { if case .pause = $0 { true } else { false } }
    }
  }
}
