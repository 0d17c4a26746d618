import ControlProtocol
import GuestFiles
import GuestSpec
import Lifecycle
import Linux
import Listeners

// What the manager and, through it, users ask for.
extension Supervisor {
  /// Takes the guest on; `orphan` is what an earlier daemon left running.
  func begin(orphan: Run?) {
    awaitsStart = false
    // What a killed daemon held the guest holds still, with whoever waits there.
    if let orphan {
      listeners.takeOver(fromProcess: orphan.process.payloadPID, pidfd: orphan.process.payloadPidfd, guest)
    }
    // At once: a path that a killed daemon left to a socket of its own wakes nobody.
    if let failure = listeners.recoverPaths(context.sockDiag) { say(.cannotPark(error: "\(failure)")) }
    guard let orphan else {
      // Whoever waited apart when the last daemon ended is there for the next start.
      restore()
      context.machines.forget(name)
      return take(.bind)
    }
    do throws(SystemError) {
      try watch(orphan)
      run = orphan
      try? listeners.keepEmergencyDescriptors()
      context.machines.adopt(name, leader: orphan.process.pid)
      stopCause = .daemon
      say(.foundOrphan(pid: orphan.process.pid))
      forwardPorts()
      take(.adopt)
    } catch {
      say(.cannotEnd(error: "\(error)"))
      try? orphan.kill()
      take(.bind)
    }
  }

  private static let unfound = "it cannot be told yet what an earlier daemon left of it"

  /// Starts the guest; answers when it is ready.
  func wake(_ answer: @escaping Waiters.Answer) { wake(because: Trigger(cause: .request), answer) }

  private func wake(because trigger: Trigger, _ answer: @escaping Waiters.Answer) {
    if case .unbound = state {
      let reason = awaitsStart ? Self.unfound : "it is held no longer"
      return answer(.failure(.wakeFailed(name: name, reason: reason)))
    }
    waiters.awaitReady(answer)
    wakeCause = trigger
    take(.wakeRequested)
  }

  /// Stops the guest; answers when it is gone. A guest in use is left alone unless `now`.
  func sleep(now: Bool, _ answer: @escaping Waiters.Answer) {
    if awaitsStart { return answer(.failure(.sleepFailed(name: name, reason: Self.unfound))) }
    if !now, let use = isDecidedByParting ? attendance : use() {
      return answer(.failure(.sleepFailed(name: name, reason: use)))
    }
    waiters.awaitGone(answer)
    stopCause = .request
    take(.sleepRequested(now: now))
  }

  /// Freezes the guest; answers when it stands still. A guest in use is left alone unless `now`.
  func freeze(now: Bool, _ answer: @escaping Waiters.Answer) {
    func refuse(_ reason: String) { answer(.failure(.freezeFailed(name: name, reason: reason))) }
    switch state {
    case .frozen: return answer(.done)
    case .active, .freezing: break
    case .unbound, .binding, .inactive, .launching, .activating, .parting, .selfShutdown, .deactivating, .failed:
      return refuse("it is \(state.word.rawValue)")
    }
    if !now, let use = use() { return refuse("\(use); ask for it now to freeze it all the same") }
    waiters.awaitFrozen(answer)
    isFreezeAsked = true
    take(.freezeDue)
  }

  /// Lets a frozen guest go on.
  func thawNow() {
    switch state {
    case .freezing, .frozen: take(.wakeRequested)
    case .unbound, .binding, .inactive, .launching, .activating, .active, .parting, .selfShutdown, .deactivating,
      .failed:
      break
    }
  }

  /// Lets the guest go for good, stopped cleanly if it runs.
  func release(because cause: StopCause) {
    awaitsStart = false
    stopCause = cause
    take(.release)
  }

  /// Whether it has been let go for good, and only its end is waited for.
  var isLeaving: Bool {
    switch state {
    case .parting(let parting): parting.next == .release
    case .deactivating(let deactivation): deactivation.next == .release
    case .unbound, .binding, .inactive, .launching, .activating, .active, .freezing, .frozen, .selfShutdown, .failed:
      false
    }
  }

  /// Takes its files as they are now.
  func change(to loaded: LoadedGuest) {
    if loaded == changed ?? self.loaded { return }
    changed = loaded == self.loaded ? nil : loaded
    say(.changed(later: state.mayRun))
    if !state.mayRun { take(.changed) }
  }

  /// Whether it is looked who uses the guest when nobody new can come to it. A frozen one's clients stay what they are.
  private var isDecidedByParting: Bool {
    switch state {
    case .active, .freezing: true
    case .unbound, .binding, .inactive, .launching, .activating, .frozen, .parting, .selfShutdown, .deactivating,
      .failed:
      false
    }
  }

  private var attendance: String? { run?.isAttended == true ? Self.attended : nil }

  /// What somebody does with the guest, in words; nil when nobody does anything.
  private func use() -> String? {
    if let attendance { return attendance }
    guard state.mayRun, let found = try? socketScan.take() else { return nil }
    return found.connections.isEmpty ? nil : found.words
  }
}

extension SocketScan.Found {
  /// Who uses the guest, for a person.
  var words: String {
    if connections.isEmpty { return "datagrams wait to be read" }
    let peers = connections.prefix(3).map { $0.remote ?? $0.socket }.joined(separator: ", ")
    return connections.count == 1
      ? "1 connection is open (\(peers))" : "\(connections.count) connections are open (\(peers))"
  }
}

// What the daemon's end and its service manager bring.
extension Supervisor {
  /// Starts the guest that its service manager has started this process for: for a connection, which waits already then, or because
  /// somebody asked for the guest.
  func wakeAtOnce() {
    let awaited = listeners.awaited?.address
    wake(because: Trigger(cause: awaited == nil ? .request : .connection, socket: awaited)) { _ in }
  }

  /// It was awake, sleeps, and nobody is at its door: whoever comes next may be the service manager's to see. One whose starts fail
  /// stays here while its clients wait, or its pauses would not grow.
  var isAsleepForNow: Bool {
    guard case .inactive = state else { return false }
    return history.wakes > 0 && listeners.awaited == nil
  }

  /// Whoever was told to halt and still runs is killed.
  func loseStopPatience() {
    // The first ends the waiting for those who use it.
    if case .parting = state { take(.stopTimedOut) }
    if case .deactivating = state { take(.stopTimedOut) }
  }

  /// Says which of its sockets the service manager did not pass although it passed others.
  func logNotPassed() {
    let passed = Set(listeners.all.map(\.listen))
    for listen in guest.sockets.flatMap(\.listen) where !passed.contains(listen) {
      say(.notPassed(socket: listen.address.description))
    }
  }
}
