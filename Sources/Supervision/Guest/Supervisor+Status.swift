import ControlProtocol
import Lifecycle
import Linux
import Listeners

// What `dormouse status`, `why` and `list` report of the guest.
extension Supervisor {
  var summary: GuestSummary { status(console: false).summary }

  func status(console: Bool) -> GuestStatus {
    var status = GuestStatus(name: name, state: GuestState(state.word), since: since)
    let found = state.mayRun ? try? live?.scan.look() : nil
    status.connections = found?.connections.count ?? 0
    status.wakes = history.wakes
    status.pid = live?.instance?.pid
    status.cgroup = live?.instance?.cgroup
    status.files = loaded.files
    status.sockets = listeners.all.map { $0.status(in: name) }
    for (listener, count) in found?.waiting ?? [] {
      if let place = listeners.all.firstIndex(where: { $0 === listener }) { status.sockets[place].queued = count }
    }
    status.lastWake = history.lastWake
    status.lastStop = history.lastStop
    status.retryAt = pauseEnds
    status.stopAt = found.flatMap { live?.idleWatch?.stopAt($0.usage) }
    status.report = history.report
    status.report?.sshAddress = sshAddress
    status.messages =
      disagreements.map { GuestMessage(at: since, level: .warning, text: $0.description) } + history.messages
    status.counters = history.counters
    let tally = live?.scan.tally ?? history.tally
    status.counters[.accepted] = tally.accepted
    status.counters[.unanswered] = tally.unanswered
    status.counters[.notifyRefused] += live?.refusedMessages ?? 0
    if console { status.console = live?.consoleText ?? history.console }
    return status
  }

  private var sshAddress: String? {
    guard history.report?.units.contains("ssh-access.target") == true else { return nil }
    return live?.instance?.sshSocket.map { "unix\($0)" }
  }

  /// What keeps the guest awake, or what would wake it.
  var explanation: GuestExplanation {
    var explanation = GuestExplanation(name: name, state: GuestState(state.word), since: since)
    switch state {
    case .pending, .unbound, .binding, .inactive:
      explanation.wakeBy = listeners.all.map(\.address)
    case .failed:
      explanation.reasons = [lastFailure ?? "it ended too soon"]
      explanation.retryAt = pauseEnds
    case .launching, .activating:
      explanation.reasons = ["it is starting\(history.report?.status.map { ": \($0)" } ?? "")"]
      explanation.connections = (try? live?.scan.look())?.connections ?? []
    case .active, .freezing, .stopPending:
      explainUse(&explanation)
    case .frozen:
      explainUse(&explanation)
      explanation.wakeBy = listeners.all.map(\.address)
    case .selfShutdown(let shutdown):
      explanation.reasons = [
        shutdown.isConfirmed ? "it is shutting down by itself" : "it seems to be shutting down by itself"
      ]
      explanation.wakeBy = listeners.all.map(\.address)
    case .draining(let deactivation), .deactivating(let deactivation):
      explanation.reasons = ["it is being stopped: \(StopCause(deactivation.halt.cause).words)"]
      explanation.wakeBy = listeners.all.map(\.address)
    }
    return explanation
  }

  private func explainUse(_ explanation: inout GuestExplanation) {
    guard let found = try? live?.scan.look() else {
      explanation.reasons = ["cannot tell whether anybody uses it"]
      return
    }
    explanation.connections = found.connections
    for (listener, _) in found.waiting where listener.listen.kind == .datagram {
      explanation.reasons.append("unread datagrams wait at \(listener.address)")
    }
    if live?.isAttended == true { explanation.reasons.append(LiveInstance.attended) }
    if guest.policy.idleStop == nil { explanation.reasons.append("IdleStopSec=infinity") }
    if found.usage.inUse { return }
    explanation.idleSince = live?.idleWatch.map { .now - $0.unused }
    explanation.stopAt = live?.idleWatch?.stopAt(found.usage)
  }
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
