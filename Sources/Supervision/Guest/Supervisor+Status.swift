import ControlProtocol
import GuestSpec
import Launching
import Lifecycle
import Linux
import Listeners

// What is told about the guest.
extension Supervisor {
  var summary: GuestSummary { status(console: false).summary }

  func status(console: Bool) -> GuestStatus {
    var status = GuestStatus(name: name, state: GuestState(state.word), since: since)
    let found = state.mayRun ? try? socketScan.take() : nil
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
    status.stopAt = found.flatMap { idleWatch?.stopAt($0.usage) }
    status.report = history.report
    status.report?.sshAddress = sshAddress
    status.messages =
      disagreements.map { GuestMessage(at: since, level: .warning, text: $0.description) } + history.messages
    status.counters = history.counters
    status.counters.accepted = socketScan.tally.accepted
    status.counters.unanswered = socketScan.tally.unanswered
    status.counters.notifyRefused += run?.refusedMessages ?? 0
    if console { status.console = run?.consoleText ?? history.console }
    return status
  }

  /// No message of systemd's says the address (up to 262): it says that ssh-access.target is active, and has put the socket where the
  /// host can reach it (systemd-ssh-generator(8)).
  private var sshAddress: String? {
    guard run != nil, history.report?.units.contains("ssh-access.target") == true else { return nil }
    let path = HostSide.unixExport(of: name, runtime: context.runtime) + "/ssh"
    return (try? FileStatus(path, followingLinks: false))?.kind == .socket ? "unix\(path)" : nil
  }

  /// What keeps the guest awake, or what would wake it.
  var explanation: GuestExplanation {
    var explanation = GuestExplanation(name: name, state: GuestState(state.word), since: since)
    switch state {
    case .unbound, .binding, .inactive:
      explanation.wakeBy = listeners.all.map(\.address)
    case .failed:
      explanation.reasons = [lastFailure ?? "it ended too soon"]
      explanation.retryAt = pauseEnds
    case .launching, .activating:
      explanation.reasons = ["it starts\(history.report?.status.map { ": \($0)" } ?? "")"]
      explanation.connections = (try? socketScan.take())?.connections ?? []
    case .active, .freezing, .parting:
      explainUse(&explanation)
    case .frozen:
      explainUse(&explanation)
      explanation.wakeBy = listeners.all.map(\.address)
    case .selfShutdown(let shutdown):
      explanation.reasons = [shutdown.isConfirmed ? "it shuts down by itself" : "it seems to shut down by itself"]
      explanation.wakeBy = listeners.all.map(\.address)
    case .deactivating:
      explanation.reasons = ["it is being stopped: \(stopCause.words)"]
      explanation.wakeBy = listeners.all.map(\.address)
    }
    return explanation
  }

  private func explainUse(_ explanation: inout GuestExplanation) {
    guard let found = try? socketScan.take() else {
      explanation.reasons = ["the kernel does not tell whether it is used"]
      return
    }
    explanation.connections = found.connections
    for (listener, _) in found.waiting where listener.listen.kind == .datagram {
      explanation.reasons.append("datagrams wait to be read at \(listener.address)")
    }
    if run?.isAttended == true { explanation.reasons.append(Self.attended) }
    if guest.policy.idleStop == nil { explanation.reasons.append("IdleStopSec=infinity") }
    if found.usage.inUse { return }
    explanation.idleSince = idleWatch.map { .now - $0.unused }
    explanation.stopAt = idleWatch?.stopAt(found.usage)
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
