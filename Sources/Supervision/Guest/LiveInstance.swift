import ControlProtocol
import GuestSpec
import Lifecycle
import Linux
import Listeners
import Systemd

/// Everything of a supervisor that belongs to one instance and ends with it: the instance itself, who uses it, which errors it had.
final class LiveInstance {
  unowned let supervisor: Supervisor
  /// The files in force when it was started.
  let guest: Guest
  /// Which init runs with `Boot=yes`. It is found before the guest runs, because the guest may replace the file afterwards.
  let initSystem: InitSystem
  let scan: SocketScan
  /// nil until it is watched.
  private(set) var instance: (any Instance)?
  /// While the guest serves.
  private(set) var idleWatch: IdleWatch?
  /// The last error of parking new clients, which is logged once.
  var divertFailure = ChangeFilter<SystemError>()
  /// The last error of unparking clients, which is logged once.
  var restoreFailure = ChangeFilter<SystemError>()
  /// The last error of a scan before a stop, which is logged once.
  var scanFailure = ChangeFilter<SystemError>()
  /// The last error of an attempt to freeze it, which is logged once.
  var freezeFailure = ChangeFilter<String>()
  /// All new clients are parked.
  var isDiverted = false
  /// How often new clients were diverted to standbys.
  var diversions = 0
  /// The listener whose traffic thawed the guest.
  var thawCause: Listener?
  /// What woke the guest.
  let trigger: Trigger
  /// How many connections earlier instances had accepted.
  private let acceptedBefore: Int
  /// How many clients were queued when PID 1 got the listeners.
  private var queuedAtStart = 0
  /// What delays the start, until it is done; nil when nothing does.
  private(set) var preparation: (any Preparation)?
  private(set) var isKilled = false
  private(set) var isReady = false
  /// How often PID 1's messages announced a shutdown that did not follow.
  var retractions = Retractions()
  /// The guest's failed units, and its sockets that no process of it has open.
  let diagnosis: Diagnosis
  /// Refuses clients at listeners that the guest did not take.
  private(set) lazy var refusal = supervisor.makeRefusal(counting: .notAdopted)
  let restoreRetry: Retry
  private let endRetry: Retry
  /// The pause before unparking is tried again.
  private static let restorePause = Duration.milliseconds(100)

  init(_ supervisor: Supervisor, _ trigger: Trigger) {
    let context = supervisor.context
    self.supervisor = supervisor
    self.trigger = trigger
    guest = supervisor.guest
    acceptedBefore = supervisor.history.tally.accepted
    initSystem = InitSystem(of: supervisor.guest) ?? .other
    diagnosis = Diagnosis(context.asker, supervisor.listeners)
    restoreRetry = Retry(context.timers, after: Self.restorePause, accuracy: .milliseconds(10))
    endRetry = Retry(context.timers)
    scan = SocketScan(
      context.sockDiag, context.endedConnections, listeners: supervisor.listeners,
      idleStop: guest.policy.idleStop, tally: supervisor.history.tally)
    scan.isAttended = { [unowned self] in isAttended }
  }

  var context: Context { supervisor.context }
  var listeners: GuestListeners { supervisor.listeners }
  var history: GuestHistory { supervisor.history }

  /// Whether clients are in its queues and it has accepted none since it started: the client that woke it still waits, or has left.
  var isUnserved: Bool { scan.tally.accepted == acceptedBefore && listeners.isSomebodyUnaccepted }
  /// Whether a client is attached to one of its terminals.
  var isAttended: Bool { instance?.consoles.contains { $0.isAttended } ?? false }
  /// The end of what the guest printed.
  var consoleText: String { instance?.consoles.first?.text.text ?? "" }
  /// The instance, if its init may be systemd, which can be asked about its units.
  var askable: (any Instance)? { guest.exec.boot ? instance : nil }
  var refusedMessages: Int { instance?.refusedMessages ?? 0 }

  func log(_ message: Message) { supervisor.log(message) }
}

// Its beginning.
extension LiveInstance {
  /// Asks the backend for an instance.
  ///
  /// - Returns: `startDelayed` when something has to be prepared first.
  /// - Throws: `StartFailure`; nothing is left of the instance then.
  func start() throws(StartFailure) -> Event? {
    do throws(SystemError) { try listeners.keepEmergencyDescriptors() } catch {
      throw StartFailure(error.words(forSockets: listeners.all.count))
    }
    let start = InstanceStart(
      guest: guest, initSystem: initSystem, listenerNames: listeners.all.map { $0.name(in: guest.name) },
      listeners: { [unowned self] () throws(SystemError) in
        try unparkForStart()
        let duplicates = try listeners.duplicates(nonBlocking: guest.exec.passesNonBlocking(initSystem))
        queuedAtStart = listeners.queued(context.sockDiag)
        return duplicates
      },
      willExecute: { [unowned self] instance throws(SystemError) in try attach(instance) })
    let made: any Instance
    switch try context.backend.start(start) {
    case .instance(let instance): made = instance
    case .delayed(let preparation):
      try prepare(preparation)
      return .startDelayed
    }
    // PID 1 may only be on its way: a start that is not watched before it gets there could be neither killed nor heard of.
    do throws(SystemError) {
      try attach(made)
    } catch {
      try? made.kill()
      throw StartFailure("\(error)")
    }
    return nil
  }

  private func prepare(_ preparation: any Preparation) throws(StartFailure) {
    // Somebody changes the files at the same time: without an end the guest would be prepared again and again.
    if trigger.isPrepared { throw StartFailure("needed again after it was done: \(preparation.words)") }
    do throws(SystemError) {
      try preparation.begin { [unowned self] failure in supervisor.prepared(failure) }
    } catch {
      throw StartFailure("\(preparation.words): \(error)")
    }
    self.preparation = preparation
    log(.preparing(what: preparation.words))
  }

  /// Takes over an instance that an earlier daemon left running.
  ///
  /// - Throws: `SystemError` when it cannot be watched.
  func adopt(_ orphan: any Instance) throws(SystemError) {
    isReady = true
    try attach(orphan)
    try? listeners.keepEmergencyDescriptors()
  }

  private func attach(_ instance: any Instance) throws(SystemError) {
    if self.instance != nil { return }
    try instance.watch { [unowned self] event in receive(event) }
    self.instance = instance
    // Before it can serve a client: the client may be gone when `started` is reported.
    watchEnds()
  }

  private func receive(_ event: InstanceEvent) {
    switch event {
    case .started: started()
    case .startFailed(let failure):
      supervisor.notStarted(failure)
      supervisor.handle(.startFailed)
    case .notified(let message): receive(message)
    case .stopRequested:
      log(.scopeStops)
      supervisor.handle(.sleepRequested(now: true, inUse: false))
    case .memoryKills(let count):
      history.counters[.memoryKills] += count
      log(.outOfMemory(kills: count))
    case .remark(let remark): log(.remark(remark))
    case .ended(let status): supervisor.ended(status)
    }
  }

  private func started() {
    guard let instance else { return }
    history.counters[.handedOver] += queuedAtStart
    history.lastWake?.startedMs = sinceTrigger.milliseconds
    log(.started(pid: instance.pid, after: sinceTrigger))
    for remark in instance.remarks { log(.remark(remark)) }
    supervisor.handle(.started)
    if !guest.exec.waitsForReady(initSystem) { supervisor.handle(.ready) }
  }

  private func receive(_ message: NotifyMessage) {
    let known = history.report?.errno
    history.record(message)
    if let level = message.signalsLevel, level >= 2 { history.lastWake?.handlersMs = sinceTrigger.milliseconds }
    // Logged once: a guest that repeats it without end must not fill the log.
    if let errno = message.errno, known == nil { log(.guestReported(error: errno)) }
    if message.isReady { supervisor.handle(.ready) }
    switch retractions.judge(message.intent(active: history.report?.units ?? [])) {
    case .shutdown(let confirmed): supervisor.handle(.selfShutdown(confirmed: confirmed))
    case .aborted: supervisor.handle(.shutdownAborted)
    case nil: break
    }
  }

  /// How long ago the guest was woken.
  private var sinceTrigger: Duration { context.timers.now - trigger.at }
}

// Its end.
extension LiveInstance {
  /// - Returns: `haltUnheard` when PID 1 has no handler for the signal, so that the kernel drops it.
  func requestHalt(_ cause: StopCause) -> Event? {
    guard let instance else { return nil }
    history.haltRequested(because: cause)
    let signal = guest.exec.effectiveKillSignal(initSystem)
    do throws(SystemError) {
      // Read before the signal is sent: PID 1 may react at once, and then no longer show that it waited for the signal.
      let isHeard = instance.hears(signal)
      try instance.signal(signal)
      log(.haltRequested(signal: signal.description, cause))
      if !isHeard { log(.haltUnheard(signal: signal.description)) }
      return isHeard ? nil : .haltUnheard
    } catch {
      // ESRCH: it has ended, which the instance reports.
      if !error.isForEndedProcess {
        retryEnd(error) { [unowned self] in
          if let answer = requestHalt(cause) { supervisor.handle(answer) }
        }
      }
      return nil
    }
  }

  func kill() {
    guard let instance else { return }
    // A pending attempt to send a signal would take the place of the next attempt to kill.
    endRetry.cancel()
    // Before the kill, which cuts these connections off.
    let cutOff = (try? scan.scan().connections.count { !$0.queued }) ?? 0
    do throws(SystemError) {
      try instance.kill()
      if !isKilled { history.killed() }
      isKilled = true
      history.lost(cutOff, .killed)
    } catch {
      retryEnd(error) { [unowned self] in kill() }
    }
  }

  /// Tries a signal that could not be sent again: nothing else would end the guest.
  private func retryEnd(_ failure: SystemError, _ attempt: @escaping () -> Void) {
    log(.remark(.cannotEnd(error: "\(failure)")))
    do throws(SystemError) {
      try endRetry.schedule(attempt)
    } catch {
      log(.remark(.cannotEnd(error: "\(error)")))
    }
  }
}

// Who uses it.
extension LiveInstance {
  func watchIdleness() {
    if isReady {
      checkListeners()
    } else {
      isReady = true
      history.lastWake?.readyMs = sinceTrigger.milliseconds
      log(.ready(after: sinceTrigger))
      checkAdoption()
    }
    watchEnds()
    let watch = IdleWatch(guest, scan, context.timers) { [unowned self] finding in receive(finding) }
    idleWatch = watch
    watch.start()
  }

  func unwatchIdleness() {
    idleWatch?.stop()
    idleWatch = nil
    refusal.end()
  }

  func resumeIdleness() { idleWatch?.resume() }

  private func receive(_ finding: IdleWatch.Finding) {
    switch finding {
    case .idle:
      log(.idle(since: guest.policy.idleStop ?? .zero))
      supervisor.handle(.idle(served: !isUnserved))
    case .freezeDue: supervisor.handle(.freezeDue)
    case .parkedTooLong: supervisor.handle(.parkedTooLong)
    case .activity: supervisor.handle(.activity)
    case .scanned(let found): check(found)
    case .failed(let error): log(.cannotScan(error: "\(error)"))
    }
  }
}
