import ControlProtocol
import GuestFiles
import GuestSpec
import Lifecycle
import Linux
import Listeners

// What `dormouse status`, `why` and `list` report of the guest.
extension Supervisor {
  var summary: GuestSummary {
    var summary = status(console: false).summary
    summary.note = note
    return summary
  }

  func status(console: Bool) -> GuestStatus {
    var status = GuestStatus(name: name, state: GuestState(state.word), since: since, files: loaded.files)
    let found = state.mayRun ? try? live?.scan.look() : nil
    status.connections = found?.connections.count ?? 0
    status.wakes = history.wakes
    status.pid = live?.instance?.pid
    status.cgroup = live?.instance?.cgroup
    status.limits = (live?.instance?.limits ?? []).map {
      LimitStatus(setting: $0.setting, value: $0.value, isDefault: $0.isDefault)
    }
    status.sockets = listeners.all.map { listener in
      var socket = listener.status(in: name)
      socket.unserved = (live?.diagnosis.unserved[listener.address]).map(UnservedSocket.init)
      return socket
    }
    for (listener, count) in found?.waiting ?? [] {
      if let place = listeners.all.firstIndex(where: { $0 === listener }) { status.sockets[place].queued = count }
    }
    status.lastWake = history.lastWake
    status.lastStop = history.lastStop
    status.retryAt = pauseEnds
    status.stopAt = found.flatMap { live?.idleWatch?.stopAt($0.usage) }
    status.report = history.report
    if state.isQueued {
      status.report = GuestReport()
      status.report?.status = turn
    }
    if !failedUnits.isEmpty {
      if status.report == nil { status.report = GuestReport() }
      status.report?.failedUnits = failedUnits
    }
    status.report?.sshAddress = sshAddress
    status.messages =
      (agreement?.disagreements ?? []).map { GuestMessage(at: since, level: .warning, text: $0.description) }
      + history.messages
    status.counters = history.counters
    let tally = live?.scan.tally ?? history.tally
    status.counters[.accepted] = tally.accepted
    status.counters[.unanswered] = tally.unanswered
    status.counters[.notifyRefused] += live?.refusedMessages ?? 0
    if console { status.console = live?.consoleText ?? history.console }
    return status
  }

  /// Why the last start or instance failed.
  var failure: String { lastFailure ?? "it ended too soon" }

  /// Why clients of a ready guest are not served: it took none of its sockets. Nil if it took one, has none, or this is not known yet.
  var untaken: String? {
    guard !listeners.all.isEmpty, listeners.all.allSatisfy({ $0.isAdopted == false }) else { return nil }
    return "it is ready, but took none of its sockets; `dormouse status \(name)` shows why"
  }

  /// The reason of a failure: the guest was not ready within `TimeoutStartSec=`.
  func notReady(within time: Duration) -> String {
    let reason = "not ready within TimeoutStartSec= (\(time.inWords))"
    if guest.exec.boot || history.report != GuestReport() { return reason }
    return reason + "; it has sent nothing to its notify socket: a program that never does needs NotifyReady=no"
  }

  /// What a queued guest waits for.
  private var turn: String {
    let count = context.places.startingCount
    return "it waits for its turn: \(count) \(count == 1 ? "guest starts" : "guests start") (MaxConcurrentStarts=)"
  }

  /// The units in the guest that had failed when it was last asked.
  private var failedUnits: [FailedUnit] { live?.diagnosis.units?.failed ?? history.failedUnits }

  /// Why the guest failed, or what is wrong in one that runs; nil if no problem is known.
  private var note: String? {
    if state.word == .failed { return failure }
    return live?.diagnosis.note
  }

  /// Answers `status`. A guest that is awake is asked first which of its units have failed.
  func describe(console: Bool, _ answer: @escaping Waiters.Answer) {
    refreshDiagnosis { [self] in answer(.status(status(console: console))) }
  }

  /// Answers `why`. A guest that is awake is asked first which of its units have failed.
  func explain(_ answer: @escaping Waiters.Answer) { refreshDiagnosis { [self] in answer(.why(explanation)) } }

  private func refreshDiagnosis(_ done: @escaping () -> Void) {
    guard let live, state.word == .active || state.word == .activating, !state.isFrozenOrFreezing else { return done() }
    live.diagnosis.refresh(live.askable, done)
  }

  private var sshAddress: String? {
    guard history.report?.units.contains("ssh-access.target") == true else { return nil }
    return live?.instance?.sshSocket.map { "unix\($0)" }
  }

  /// What keeps the guest awake, or what would wake it.
  var explanation: GuestExplanation {
    var explanation = GuestExplanation(name: name, state: GuestState(state.word), since: since)
    explanation.failedUnits = failedUnits
    explanation.reasons = (live?.diagnosis.unserved ?? [:]).sorted { $0.key < $1.key }.map {
      "nobody serves at \($0.key): \($0.value)"
    }
    switch state {
    case .pending, .unbound, .binding, .inactive:
      // It has failed too often, and the next client is the next attempt.
      if state.word == .failed { explanation.reasons = [failure] }
      explanation.wakeBy = listeners.all.map(\.address)
    case .failed:
      explanation.reasons = [failure]
      if state.isRefusing { explanation.reasons.append("clients are refused until it is tried again") }
      explanation.retryAt = pauseEnds
    case .queued: explanation.reasons = [turn]
    case .preparing: explanation.reasons = [live?.preparation?.words ?? ""]
    case .launching, .activating:
      explanation.reasons += ["it is starting\(history.report?.status.map { ": \($0)" } ?? "")"]
      explanation.connections = (try? live?.scan.look())?.connections ?? []
    case .active, .freezing, .stopPending:
      explainUse(&explanation)
    case .frozen:
      explainUse(&explanation)
      explanation.wakeBy = listeners.all.map(\.address)
    case .selfShutdown(let shutdown):
      explanation.reasons += [
        shutdown.isConfirmed ? "it is shutting down by itself" : "it seems to be shutting down by itself"
      ]
      explanation.wakeBy = listeners.all.map(\.address)
    case .draining(let deactivation), .deactivating(let deactivation):
      explanation.reasons += ["it is being stopped: \(StopCause(deactivation.halt.cause).words)"]
      explanation.wakeBy = listeners.all.map(\.address)
    }
    return explanation
  }

  private func explainUse(_ explanation: inout GuestExplanation) {
    guard let found = try? live?.scan.look() else {
      explanation.reasons += ["cannot tell whether anybody uses it"]
      return
    }
    explanation.connections = found.connections
    for (listener, _) in found.waiting where listener.listen.kind == .datagram {
      explanation.reasons.append("unread datagrams wait at \(listener.address)")
    }
    if live?.isAttended == true { explanation.reasons.append(LiveInstance.attended) }
    if guest.policy.idleStop == nil { explanation.reasons.append("IdleStopSec=infinity") }
    explanation.freezeAt = live?.idleWatch?.freezeAt(found.usage)
    if found.usage.inUse { return }
    explanation.idleSince = live?.idleWatch.map { .now - $0.unused }
    explanation.stopAt = live?.idleWatch?.stopAt(found.usage)
  }
}

// What is wrong with it.
extension Supervisor {
  /// Compares the guest file with the socket units in the guest's root, and logs new differences. This is done when the guest falls asleep
  /// and no client waits for it.
  func compareWithUnits() {
    let found = loaded.socketAgreement()
    let known = agreement?.disagreements ?? []
    for disagreement in found?.disagreements ?? [] where !known.contains(disagreement) {
      context.log.write(.problem(disagreement), guest: name)
    }
    agreement = found
  }

  /// When the start deadline has passed, asks the guest which of its units have failed before it is stopped: a guest that shuts down does
  /// not answer.
  ///
  /// - Parameters:
  ///   - timer: the deadline that has passed.
  ///   - body: called at once for any other deadline; after the answer, if the same instance is still not ready.
  func askBefore(_ timer: Timer, _ body: @escaping () -> Void) {
    guard timer == .start, let asked = live else { return body() }
    asked.diagnosis.refresh(asked.askable) { [weak self] in
      if let self, live === asked, state.isBeforeReady { body() }
    }
  }

  /// Which unit in the guest has failed, as the end of a sentence.
  var failedUnitWords: String { live?.diagnosis.units?.failed.first.map { "; in the guest, \($0)" } ?? "" }
}

extension GuestState {
  fileprivate init(_ word: State.Word) {
    switch word {
    case .inactive: self = .inactive
    case .activating: self = .activating
    case .active: self = .active
    case .frozen: self = .frozen
    case .deactivating: self = .deactivating
    case .failed: self = .failed
    }
  }
}
