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
  /// The processes are being frozen, and the answer to that comes later.
  var isFreezing = false
  /// PID 1 is being made.
  var isLaunching = false
  /// What the start needs is being prepared.
  var isPreparing = false
  /// Others start, and its turn has not come.
  var awaitsPlace = false
  /// Clients are refused.
  var refusing = false
  /// Data on open connections is reported.
  var alarmed = false
  /// The thaw failed and is tried again.
  var isThawOverdue = false
  /// New clients are parked.
  var diverted = false
  /// Steering clients back to the guest failed and is tried again.
  var isRestoreOverdue = false
  /// Not all of them could be parked at the last attempt.
  var divertFailed = false
  /// The last scan found that somebody uses the guest.
  var foundUsed = false
  var killed = false
  var armed: Set<Timer> = []

  /// Performs the effects of what happened in one turn, with the answers that they bring; `answer` says whether an effect succeeds.
  /// An answer comes before whatever else happened meanwhile, as in `Supervisor`; a launch and a freeze may answer later.
  mutating func take(_ happened: Event..., answer: () -> Bool) {
    var events = happened
    while !events.isEmpty {
      let event = events.removeFirst()
      var answers: [Event] = []
      var queuesDrained = false
      for effect in lifecycle.handle(event) {
        switch effect {
        case .bindListeners:
          held = answer()
          answers.append(held ? .bound : .bindFailed)
        case .watchListeners:
          #expect(held && !watching)
          watching = true
        case .unwatchListeners:
          #expect(watching || refusing)
          (watching, refusing) = (false, false)
        case .refuseClients:
          #expect(!watching && !guestLives && !isLaunching)
          refusing = true
        case .requestPlace:
          #expect(held && !refusing)
          if answer() { answers.append(.placeGranted) } else { awaitsPlace = true }
        case .unbindListeners: held = false
        case .start:
          #expect(!guestLives && !isLaunching && held)
          #expect(!isPreparing)
          isLaunching = true
          if answer() {
            answers += launch(answer)
          } else if answer() {
            (isLaunching, isPreparing) = (false, true)
            answers.append(.startDelayed)
          }
        case .abandonPreparation:
          #expect(isPreparing)
          isPreparing = false
        case .freeze:
          #expect(guestLives && !watching)
          isThawOverdue = false
          (frozen, isFreezing) = (true, true)
          answers.append(answer() ? finishFreezing(answer) : .freezeDelayed)
        case .watchWhileFreezing:
          #expect(frozen && !watching)
          watching = answer()
        case .watchWhileFrozen:
          #expect(frozen && !watching)
          watching = true
        case .handBack: watching = false
        case .thaw:
          #expect(!watching)
          isFreezing = false
          resume(answer())
        case .armAlarm:
          #expect(frozen)
          alarmed = true
        case .disarmAlarm: alarmed = false
        case .divert:
          isRestoreOverdue = false
          divertFailed = !answer()
          // Of several listeners some may be diverted all the same.
          diverted = diverted || !divertFailed || answer()
          answers.append(divertFailed ? .divertFailed : .diverted)
        case .restore:
          #expect(guestLives)
          isRestoreOverdue = diverted && !answer()
          diverted = isRestoreOverdue
          (divertFailed, foundUsed) = (false, false)
        case .unpark:
          #expect(!guestLives)
          (diverted, divertFailed, foundUsed) = (false, false, false)
        case .scan(let question):
          #expect(guestLives)
          let isUsed = !answer()
          foundUsed = isUsed && question != .freezeDue
          let isEmpty = question != .freezeDue || answer()
          answers.append(!isUsed ? isEmpty ? .unused : .leftOver : answer() ? .used : .scanFailed)
        case .drainQueues:
          #expect(guestLives)
          #expect(diverted || divertFailed, "a client that is taken from the guest has a place to wait")
          queuesDrained = true
        case .quiesce:
          #expect(guestLives && (!frozen || isThawOverdue))
          frozen = true
        case .resume:
          #expect(frozen)
          resume(answer())
        case .requestHalt:
          #expect(guestLives && (!frozen || isThawOverdue), "a frozen guest cannot receive a signal")
          #expect(queuesDrained && (diverted || divertFailed), "a guest that is told to halt has no queue")
          #expect(!foundUsed || event.endsPatience, "a guest that is told to halt is used by nobody")
        case .kill:
          #expect(guestLives || isLaunching)
          #expect(lifecycle.state.mayBeKilled, "a guest that perhaps goes on is not killed")
          killed = true
        case .watchIdleness:
          #expect(!watchingIdleness)
          watchingIdleness = true
        case .resumeIdleness, .postponeFreezing: #expect(watchingIdleness)
        case .unwatchIdleness:
          #expect(watchingIdleness)
          watchingIdleness = false
        case .arm(let timer):
          #expect(!armed.contains(timer))
          armed.insert(timer)
        case .disarm(let timer): armed.remove(timer)
        case .refuse: break
        }
        #expect(!(watching && guestLives && !isFrozen), "daemon and guest watch a listener together")
      }
      events.insert(contentsOf: answers, at: 0)
    }
    #expect(watchingIdleness == (lifecycle.state.word == .active || lifecycle.state.word == .frozen))
    #expect(!watching || !guestLives || lifecycle.state.isFrozenOrFreezing)
    #expect(!refusing || lifecycle.state.isRefusing)
    awaitsPlace = awaitsPlace && lifecycle.state.isQueued
    #expect(alarmed == (lifecycle.state.word == .frozen), "the alarm is armed while the guest is frozen, and only then")
    #expect(!isPreparing || lifecycle.state.isPreparing, "what is prepared is for a start")
    #expect(lifecycle.state.mayRun == (guestLives || isLaunching))
    #expect(
      !diverted || isRestoreOverdue || lifecycle.state.parksClients, "clients are parked for a guest that goes on")
    #expect(!lifecycle.state.isHalting || armed.contains(.stop) || killed, "nothing ends a guest that does not halt")
  }

  /// PID 1 exists, or could not be made.
  mutating func launch(_ answer: () -> Bool) -> [Event] {
    isLaunching = false
    guestLives = answer() && !killed
    killed = false
    return [guestLives ? .started : .startFailed]
  }

  mutating func finishFreezing(_ answer: () -> Bool) -> Event {
    isFreezing = false
    return answer() ? .frozen : .freezeFailed
  }

  /// Whether the guest is frozen and no thaw is pending.
  var isFrozen: Bool { frozen && !isThawOverdue }

  private mutating func resume(_ succeeds: Bool) {
    isThawOverdue = frozen && !succeeds
    frozen = isThawOverdue
  }

  /// The guest has ended, and with it everything that was pending for it.
  mutating func end() {
    // Clients who were to be steered back to it are there for the next start.
    diverted = diverted && !isRestoreOverdue
    (guestLives, frozen, isThawOverdue, killed, isRestoreOverdue) = (false, false, false, false, false)
    (isFreezing, isLaunching) = (false, false)
  }

  /// The events that this world can bring now; the late ones included.
  var possible: [Event] {
    var events: [Event] = [
      .wakeRequested, .thawRequested, .changed, .idle(served: true), .idle(served: false), .listenerClosed,
      .parkedTooLong,
      .stable(served: true), .stable(served: false), .ready, .freezeDue,
      .activity, .selfShutdown(confirmed: true), .selfShutdown(confirmed: false), .shutdownAborted, .killRequested,
    ]
    for now in [true, false] {
      for inUse in [true, false] {
        events += [.sleepRequested(now: now, inUse: inUse), .freezeRequested(now: now, inUse: inUse)]
      }
    }
    if watching { events.append(.connection(quietFor: .zero)) }
    if awaitsPlace { events.append(.placeGranted) }
    if isLaunching { events += [.started, .startFailed] }
    if isPreparing { events += [.prepared, .startFailed] }
    if isFreezing { events.append(.frozen) }
    if guestLives { events += Exit.allCases.map { .exited($0) } }
    for timer in armed.sorted(by: { "\($0)" < "\($1)" }) { events.append(timer.event) }
    return events
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
      let answer = { Int.random(in: 0..<4, using: &random) > 0 }
      switch event {
      case .exited: world.end()
      case .prepared,
        .startFailed where world.isPreparing:
        world.isPreparing = false
      case .started, .startFailed:
        for outcome in world.launch(answer) { world.take(outcome, answer: answer) }
        continue
      case .frozen:
        world.take(world.finishFreezing(answer), answer: answer)
        continue
      default: break
      }
      world.take(event, answer: answer)
      #expect(leadsOn(from: world), "stuck in \(world.lifecycle.state)")
    }
    // The daemon's end: whatever the state and whatever else was asked in the same turn, the guest ends and the listeners are closed.
    world.take(.wakeRequested, .release(.daemon)) { true }
    if world.isLaunching { for outcome in world.launch({ true }) { world.take(outcome) { true } } }
    if world.guestLives {
      world.end()
      world.take(.exited(.crashed)) { true }
    }
    #expect(world.lifecycle.state == .unbound)
    #expect(!world.held && !world.watching)
  }

  /// Something that will happen by itself, or that a client can do, changes this state.
  private func leadsOn(from world: World) -> Bool {
    switch world.lifecycle.state {
    case .pending, .unbound, .binding: false
    case .queued: world.awaitsPlace
    case .launching: world.isLaunching
    case .preparing: world.isPreparing
    case .inactive, .frozen: world.watching
    case .freezing: world.armed.contains(.freeze)
    case .activating: world.armed.contains(.start)
    case .active: world.watchingIdleness
    case .deactivating, .selfShutdown: world.guestLives
    case .stopPending: false
    case .draining: world.armed.contains(.drain)
    case .failed: world.armed.contains { if case .pause = $0 { true } else { false } }
    }
  }
}
