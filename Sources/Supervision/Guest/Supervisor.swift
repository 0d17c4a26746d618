import ControlProtocol
import Glibc
import GuestFiles
import GuestSpec
import Lifecycle
import Linux
import Listeners
import UnitSyntax

/// One guest for as long as its file is there: asks the table what to do about each event, and does it.
///
/// Used on the loop's thread only, like everything it owns.
final class Supervisor {
  let context: Context
  let listeners: GuestListeners
  /// The guest's files as they are in force.
  private(set) var loaded: LoadedGuest
  /// The guest's files after a change; they come into force when no instance runs.
  private var changed: LoadedGuest?
  let history = GuestHistory()
  var waiters = Waiters()
  /// The instance that runs or is being made.
  private(set) var live: LiveInstance?
  /// Why the next start happens; nil: on request.
  private var trigger: Trigger?
  /// Why the last start or instance failed, in words, for clients that wait and for the message about the pause.
  var lastFailure: String?
  /// When the state's word changed last, and when the pause of `failed` ends.
  private(set) var since = Timestamp.now
  private(set) var pauseEnds: Timestamp?
  /// Which of the guest's enabled .socket units take its sockets, and where they differ from its file. Nil: its init is not systemd.
  var agreement: SocketAgreement?
  private var lifecycle = Lifecycle()
  private var messages: GuestLog
  private var queue: [Event] = []
  private var isHandling = false
  private let deadlines: Deadlines
  /// Refuses clients of a guest that has failed too often.
  private(set) lazy var refusal = makeRefusal(counting: .failed)
  /// Called with the guest's name after each event.
  var stateChanged: (String) -> Void = { _ in }

  init(_ loaded: LoadedGuest, context: Context) {
    self.loaded = loaded
    self.context = context
    listeners = GuestListeners(of: loaded.name, context.store)
    deadlines = Deadlines(context.timers)
    messages = GuestLog(context.log, of: loaded.name, at: context.timers.now)
  }

  var guest: Guest { loaded.guest }
  var name: String { loaded.name }
  var state: State { lifecycle.state }

  /// Handles an event: performs the effects that the table returns, and handles their answers, until none is left.
  ///
  /// The answers to effects are handled before events that came meanwhile.
  func handle(_ event: Event) {
    queue.append(event)
    if isHandling { return }
    isHandling = true
    defer { isHandling = false }
    while !queue.isEmpty {
      let event = queue.removeFirst()
      let before = state
      let effects = lifecycle.handle(event)
      if state.word != before.word { since = .now }
      logTransition(from: before)
      // Before the effects, because it is the effects that may take too long.
      if state.mayRun { context.watchdog?.begin() }
      let answers = effects.compactMap(perform)
      queue.insert(contentsOf: answers, at: 0)
      if before.wantsPlace, !state.wantsPlace { context.places.leave(name) }
      answer(waiters.settle(state.rest, guest: name, why: state.rest == .serving ? untaken : lastFailure))
      stateChanged(name)
    }
  }

  func log(_ message: Message) { log(message, of: live?.instance?.name) }

  private func log(_ message: Message, of instance: InstanceName?) {
    guard messages.write(message, of: instance, at: context.timers.now), let level = message.level else { return }
    history.record(level, message.text)
  }

  private func logTransition(from before: State) {
    if state.isShuttingDownByItself, !before.isShuttingDownByItself { log(.selfShutdown) }
    if state.rest == .serving || state.word == .activating {
      if before.isShuttingDownByItself {
        live?.retractions.record()
        log(.shutdownAborted(last: live?.retractions.areTooMany ?? false))
      }
      if before.isStopPending, live?.isDiverted == true { log(.stopCancelled(use: waiters.use)) }
    }
  }

  func answer(_ replies: [(answer: Waiters.Answer, reply: Reply)]) {
    for (answer, reply) in replies { answer(reply) }
  }
}

// The files.
extension Supervisor {
  /// Receives the guest's files after a change. They come into force at once when no instance runs.
  func change(to loaded: LoadedGuest) {
    if loaded == changed ?? self.loaded { return }
    changed = loaded == self.loaded ? nil : loaded
    log(.changed(later: state.mayRun))
    if !state.mayRun { handle(.changed) }
  }
}

// The listeners of a guest of which nothing runs.
extension Supervisor {
  func bindListeners() -> Event {
    if let next = changed {
      loaded = next
      changed = nil
    }
    do throws(SystemError) {
      for listener in try listeners.bind(guest) { log(.repaired(socket: listener.address)) }
      if let failure = listeners.confinePassed(guest, context.sockDiag) { log(.cannotConfine(error: "\(failure)")) }
      setAlarm()
      return .bound
    } catch {
      let reason = error.words(forSockets: guest.sockets.reduce(0) { $0 + $1.listen.count })
      lastFailure = "cannot bind sockets: \(reason)\(error.errno == EADDRINUSE ? GuestFiles.otherHolder(of: name) : "")"
      return .bindFailed
    }
  }

  /// Sets up the alarm for data on open connections. Without it a guest is frozen only when it has no connections.
  private func setAlarm() {
    let isWanted = guest.policy.idleFreeze != nil && guest.policy.idleFreezeMode == .withConnections
    do throws(SystemError) {
      try listeners.setAlarm(isWanted, context.sockDiag, context.loop) { [unowned self] in handle(.activity) }
    } catch {
      log(.cannotMonitorData(error: "\(error)"))
    }
  }

  func watchListeners() -> Event? {
    do throws(SystemError) {
      let asleepSince = context.timers.now
      try listeners.watch(context.loop, context.sockDiag) { [unowned self] listener in
        let now = context.timers.now
        trigger = Trigger(cause: .connection, socket: listener.address, at: now)
        handle(.connection(quietFor: now - asleepSince))
      }
      log(.asleep(sockets: listeners.all.map(\.address), passed: listeners.arePassed))
      compareWithUnits()
      return nil
    } catch {
      // After the pause they are bound and watched anew.
      lastFailure = "cannot watch sockets: \(error)"
      listeners.stopWatching()
      return .bindFailed
    }
  }

  /// Makes parked clients those of the next instance.
  func unpark() {
    history.counters[.undrained] += listeners.drainedByGuest(context.sockDiag)
    let unparked = listeners.unparkForNext(context.sockDiag)
    history.counters[.parked] += unparked.count
    history.lost(unparked.lost, .notUnparked)
    // Those that could not be moved stay parked until the next instance starts.
    if let failure = unparked.failure { log(.cannotUnpark(error: "\(failure)")) }
  }
}

// The instance.
extension Supervisor {
  /// Takes over an instance that an earlier daemon left running.
  ///
  /// - Throws: `SystemError` when it cannot be watched; nothing has changed then.
  func adopt(_ orphan: any Instance) throws(SystemError) {
    let live = LiveInstance(self, Trigger(cause: .request, at: context.timers.now))
    try live.adopt(orphan)
    self.live = live
    log(.foundOrphan(pid: orphan.pid))
  }

  func start() -> Event? {
    let trigger = self.trigger ?? Trigger(cause: .request, at: context.timers.now)
    self.trigger = nil
    lastFailure = nil
    if !trigger.isPrepared {
      history.woken(by: trigger.cause, socket: trigger.socket)
      log(.waking(trigger.cause, socket: trigger.socket))
    }
    let live = LiveInstance(self, trigger)
    self.live = live
    do throws(StartFailure) {
      return try live.start()
    } catch {
      notStarted(error)
      return .startFailed
    }
  }

  /// PID 1 could not be made.
  func notStarted(_ failure: StartFailure) {
    endInstance()
    lastFailure = "cannot start: \(failure)"
    history.notReady(because: "\(failure)")
  }

  /// PID 1 and everything else in its cgroup have ended.
  func ended(_ status: ExitStatus) {
    let exit = Exit(status)
    let unasked = state.haltCause == nil ? StopCause(exit) : nil
    if state.isBeforeReady {
      lastFailure = "ended before it was ready: \(status)"
      history.notReady(because: "it ended: \(status)")
    } else if unasked == .crash {
      lastFailure = "ended unexpectedly: \(status)"
    }
    history.counters[.notifyRefused] += live?.refusedMessages ?? 0
    history.ended(status, unasked: unasked, console: live?.consoleText ?? "")
    if unasked == .reboot { trigger = Trigger(cause: .reboot, at: context.timers.now) }
    // Before the listeners are forgotten, because connections that have ended are counted by listener.
    context.endedConnections.drain()
    let instance = live?.instance?.name
    endInstance()
    log(.stopped(how: exit.words(status)), of: instance)
    handle(.exited(exit))
  }

  func endInstance() {
    context.endedConnections.forget(name)
    if let live {
      history.tally = live.scan.tally
      history.failedUnits = live.diagnosis.units?.failed ?? history.failedUnits
    }
    live = nil
    listeners.emergencyDescriptors = nil
    for listener in listeners.all { listener.isAdopted = nil }
  }

  func setTrigger(_ trigger: Trigger) { self.trigger = trigger }
}

// The deadlines.
extension Supervisor {
  /// - Returns: nil when the timer runs, or the guest's file sets no limit. Without memory for a timer, the event that ends the wait,
  ///   because the guest could otherwise stay in its state for ever; for a pause nil, as its event follows in the loop's next turn.
  func arm(_ timer: Timer) -> Event? {
    let (delay, event) = timer.deadline(guest.policy)
    guard let delay else { return nil }
    if case .pause(let failures) = timer {
      pauseEnds = .now + delay
      log(
        .paused(
          reason: failure, pause: delay, failures: failures, refusing: state.isRefusing))
    }
    do throws(SystemError) {
      try deadlines.arm(timer, after: delay) { [unowned self] in
        askBefore(timer) { [unowned self] in
          passed(timer, delay)
          handle(timer == .stable ? .stable(served: live?.isUnserved != true) : event)
        }
      }
      return nil
    } catch {
      log(.noTimer(error: "\(error)"))
      // A scan now would fail to arm the next timer too: scans would follow each other without a pause, and nothing else would be done.
      if timer == .rescan { return .drainTimedOut }
      guard case .pause = timer else { return event }
      // Attempts to bind would follow each other without a pause too. The event is handled in the loop's next turn, so that other guests
      // are served in between.
      context.loop.soon { [weak self] in self?.handle(event) }
      return nil
    }
  }

  func disarm(_ timer: Timer) {
    deadlines.disarm(timer)
    if case .pause = timer { pauseEnds = nil }
  }

  /// Records what it means for the guest that a deadline has passed.
  private func passed(_ timer: Timer, _ delay: Duration) {
    switch timer {
    case .start:
      let reason = notReady(within: delay)
      lastFailure = reason + failedUnitWords
      history.notReady(because: reason)
    case .freeze: live?.logFreezeFailure("some processes did not freeze in time")
    case .pause:
      pauseEnds = nil
      trigger = Trigger(cause: .connection, at: context.timers.now)
    case .stop, .rescan, .drain, .stable: break
    }
  }
}
