import ControlProtocol
import GuestSpec
import Lifecycle
import Linux
import Listeners
import Systemd

/// What a supervisor has of one instance, and loses with it: the instance itself, who uses it, what is parked for it, what failed.
final class LiveInstance {
  unowned let supervisor: Supervisor
  /// The files in force when it was started.
  let guest: Guest
  let scan: SocketScan
  /// From the moment on at which it can be watched.
  private(set) var instance: (any Instance)?
  /// While the guest serves.
  private(set) var idleWatch: IdleWatch?
  /// Why new clients cannot be parked, since they last could.
  var divertFailure = ChangeFilter<SystemError>()
  /// Why it is not known whether somebody uses a guest that is to stop.
  var scanFailure = ChangeFilter<SystemError>()
  /// New clients are parked, and all of them can be.
  var isDiverted = false
  /// The listener whose traffic thawed the guest.
  var thawCause: Listener?
  /// When it began, as time since boot.
  private let triggeredAt: Duration
  private var isKilled = false
  private var isReady = false
  let restoreRetry: Retry
  private let endRetry: Retry
  /// What the kernel did not do for the clients of a guest that goes on is tried again after this time.
  private static let restorePause = Duration.milliseconds(100)

  init(_ supervisor: Supervisor, triggeredAt: Duration) {
    let context = supervisor.context
    self.supervisor = supervisor
    self.triggeredAt = triggeredAt
    guest = supervisor.guest
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

  /// Whether somebody is attached to one of its terminals.
  var isAttended: Bool { instance?.consoles.contains { $0.isAttended } ?? false }
  /// The end of what the guest printed.
  var consoleText: String { instance?.consoles.first?.text.text ?? "" }
  var refusedMessages: Int { instance?.refusedMessages ?? 0 }

  func log(_ message: Message) { supervisor.log(message) }
}

// Its beginning.
extension LiveInstance {
  /// Has the instance made.
  ///
  /// - Throws: `StartFailure`; nothing is left of it then.
  func start() throws(StartFailure) {
    do throws(SystemError) { try listeners.keepEmergencyDescriptors() } catch { throw StartFailure("\(error)") }
    var queued = 0
    let start = InstanceStart(
      guest: guest, listenerNames: listeners.all.map { $0.name(in: guest.name) },
      listeners: { [unowned self] () throws(SystemError) in
        try unparkForStart()
        queued = listeners.queued(context.sockDiag)
        return try listeners.duplicates()
      },
      willExecute: { [unowned self] instance throws(SystemError) in try attach(instance) })
    _ = try context.backend.start(start)
    history.counters[.handedOver] += queued
  }

  private func unparkForStart() throws(SystemError) {
    let unparked = listeners.prepareForStart()
    history.counters[.parked] += unparked.count
    history.lost(unparked.lost, .notUnparked)
    if let failure = unparked.failure { throw failure }
    for listener in listeners.all where listener.listen.kind == .datagram {
      // The first call has the kernel stamp datagrams from then on.
      _ = try lastDatagram(on: listener.descriptor)
    }
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
    try instance.watch { [unowned self] event in receive(event) }
    self.instance = instance
    // Before it can serve anybody: a client may be gone by the time that the guest is known to run.
    watchEnds()
  }

  private func receive(_ event: InstanceEvent) {
    switch event {
    case .started: started()
    case .startFailed(let failure):
      supervisor.notStarted(failure)
      supervisor.handle(.startFailed)
    case .notified(let message): receive(message)
    case .memoryKills(let count):
      history.counters[.memoryKills] += count
      log(.outOfMemory(kills: count))
    case .remark(let remark): log(.remark(remark))
    case .ended(let status): supervisor.ended(status)
    }
  }

  private func started() {
    guard let instance else { return }
    // Whoever woke the guest is seen from now on; that this fails is no reason not to go on.
    _ = try? scan.scan()
    history.lastWake?.startedMs = sinceTrigger.milliseconds
    log(.started(pid: instance.pid, after: sinceTrigger))
    for remark in instance.remarks { log(.remark(remark)) }
    supervisor.handle(.started)
    if !guest.exec.waitsForReady { supervisor.handle(.ready) }
  }

  private func receive(_ message: NotifyMessage) {
    let known = history.report?.errno
    history.record(message)
    if let level = message.signalsLevel, level >= 2 { history.lastWake?.handlersMs = sinceTrigger.milliseconds }
    // Once: a guest that repeats it without end must not fill the log.
    if let errno = message.errno, known == nil { log(.guestReported(error: errno)) }
    if message.isReady { supervisor.handle(.ready) }
    switch message.intent(active: history.report?.units ?? []) {
    case .shutdown(let confirmed): supervisor.handle(.selfShutdown(confirmed: confirmed))
    case .aborted: supervisor.handle(.shutdownAborted)
    case nil: break
    }
  }

  /// How long ago somebody called for the guest.
  private var sinceTrigger: Duration { context.timers.now - triggeredAt }
}

// Its end.
extension LiveInstance {
  func requestHalt(_ cause: StopCause) {
    guard let instance else { return }
    history.haltRequested(because: cause)
    let signal = guest.exec.effectiveKillSignal
    do throws(SystemError) {
      try instance.signal(signal)
      log(.haltRequested(signal: signal.description, cause))
    } catch {
      // ESRCH: it has ended, which the instance reports.
      if !error.isForEndedProcess { endAgain(error) { [unowned self] in requestHalt(cause) } }
    }
  }

  func kill() {
    guard let instance else { return }
    if !isKilled { history.killed() }
    // Before it: these are cut off.
    let cutOff = (try? scan.scan().connections.count { !$0.queued }) ?? 0
    do throws(SystemError) {
      try instance.kill()
      isKilled = true
      history.lost(cutOff, .killed)
    } catch {
      endAgain(error) { [unowned self] in kill() }
    }
  }

  /// Nothing else would follow a signal that could not be sent.
  private func endAgain(_ failure: SystemError, _ again: @escaping () -> Void) {
    log(.remark(.cannotEnd(error: "\(failure)")))
    do throws(SystemError) {
      try endRetry.schedule(again)
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
  }

  func resumeIdleness() { idleWatch?.resume() }

  private func receive(_ finding: IdleWatch.Finding) {
    switch finding {
    case .idle:
      log(.idle(since: guest.policy.idleStop ?? .zero))
      supervisor.handle(.idle)
    case .freezeDue: supervisor.handle(.freezeDue)
    case .parkedTooLong: supervisor.handle(.parkedTooLong)
    case .activity: supervisor.handle(.activity)
    case .scanned(let found): check(found)
    case .failed(let error): log(.cannotScan(error: "\(error)"))
    }
  }

  /// Receives the ends of connections, from the start on, but not those at listeners that the guest did not take.
  func watchEnds() {
    do throws(SystemError) {
      scan.receivesEnds = false
      try context.endedConnections.notify(guest.name, of: scan.servedPorts) { [unowned self] in
        connectionsEnded($0)
      }
      scan.receivesEnds = true
    } catch {
      log(.cannotScan(error: "\(error)"))
    }
  }

  private func connectionsEnded(_ connections: [TCPConnection]?) {
    guard let unanswered = scan.recordEnded(connections) else { return }
    // Those of a killed guest have been counted.
    if supervisor.state.isHalting, !isKilled { history.lost(unanswered, .unanswered) }
    idleWatch?.connectionEnded()
  }
}
