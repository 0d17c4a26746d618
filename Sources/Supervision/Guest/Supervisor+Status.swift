import ControlProtocol
import GuestSpec
import Lifecycle
import Linux

// What is told about the guest.
extension Supervisor {
  var summary: GuestSummary { status(console: false).summary }

  func status(console: Bool) -> GuestStatus {
    var status = GuestStatus(name: name, state: GuestState(state.word), since: since)
    let found = state.mayRun ? try? look() : nil
    status.connections = found?.connections.count ?? 0
    status.wakes = history.wakes
    status.pid = run?.process.pid
    status.cgroup = run?.cgroup.path
    status.files = loaded.files
    status.sockets = listeners.all.map { $0.status(in: name) }
    for (listener, count) in found?.waiting ?? [] {
      if let place = listeners.all.firstIndex(where: { $0 === listener }) { status.sockets[place].queued = count }
    }
    status.lastWake = history.lastWake
    status.lastStop = history.lastStop
    status.retryAt = pauseEnds
    status.stopAt = idleWatch?.stopAt
    status.report = history.report
    status.messages =
      disagreements.map { GuestMessage(at: since, level: .warning, text: $0.description) } + history.messages
    status.counters = history.counters
    if console { status.console = run?.consoleText ?? history.console }
    return status
  }

  /// What keeps the guest awake, or what would wake it.
  var explanation: GuestExplanation {
    var explanation = GuestExplanation(name: name, state: GuestState(state.word), since: since)
    switch state {
    case .released, .holding, .inactive:
      explanation.wakeBy = listeners.all.map(\.address) + ["dormouse wake \(name)"]
      explanation.reasons = ["it sleeps"]
    case .failed:
      explanation.reasons = [lastFailure ?? "it ended too soon"]
      explanation.retryAt = pauseEnds
      explanation.wakeBy = ["dormouse wake \(name)"]
    case .launching, .activating:
      explanation.reasons = ["it starts\(history.report?.status.map { ": \($0)" } ?? "")"]
      explanation.connections = connections
    case .active:
      explanation.connections = connections
      explanation.reasons = reasonsToStayAwake(explanation.connections.count)
      explanation.stopAt = idleWatch?.stopAt
    case .deactivating:
      explanation.reasons = ["it is on its way to sleep: \(stopCause.words)"]
      explanation.wakeBy = listeners.all.map(\.address)
    }
    return explanation
  }

  private var connections: [ConnectionStatus] { (try? look())?.connections ?? [] }

  private func reasonsToStayAwake(_ open: Int) -> [String] {
    if open > 0 { return ["\(open) open \(open == 1 ? "connection" : "connections")"] }
    guard let idleStop = guest.policy.idleStop else { return ["IdleStopSec=infinity"] }
    return ["nobody uses it; it sleeps after IdleStopSec= (\(idleStop.inWords)) of that"]
  }
}

extension GuestState {
  fileprivate init(_ word: State.Word) {
    switch word {
    case .inactive: self = .inactive
    case .activating: self = .activating
    case .active: self = .active
    case .deactivating: self = .deactivating
    case .failed: self = .failed
    }
  }
}
