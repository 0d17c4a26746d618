import ControlProtocol
import Glibc
import GuestSpec
import Lifecycle
import Linux

// A guest on its way out: new clients wait apart from it, and nothing that was queued is left to it.
extension Supervisor {
  /// How long those who use a guest that has to go are waited for, and how often it is looked whether they have done.
  static let drainPatience = Duration.seconds(2)
  static let drainPause = Duration.milliseconds(10)
  /// What the kernel did not do it is asked for again after this time.
  private static let returnPause = Duration.milliseconds(100)

  func closeGate() {
    returnLater = nil
    take(leadsApart(returning: isUndecided) ? .gateClosed : .gateFailed)
  }

  /// - Returns: false when there is no place for new clients to wait, which has been said.
  private func leadsApart(returning: Bool) -> Bool {
    do throws(SystemError) {
      try listeners.leadApart(returning: returning)
      gateTrouble = nil
      return true
    } catch {
      // It may be tried again and again.
      if gateTrouble != error { say(.cannotLeadApart(error: "\(error)")) }
      gateTrouble = error
      keep(because: "its new clients cannot be diverted from it: \(error)")
      return false
    }
  }

  private var isUndecided: Bool { if case .parting(let parting) = state { parting.isCancellable } else { false } }

  /// Should the stop be cancelled now, whoever asked for it is told this.
  private func keep(because reason: String) {
    if isUndecided { waiters.keptBecause = reason }
  }

  func holdStill() {
    do throws(SystemError) {
      try run?.freezer?.holdStill()
    } catch {
      say(.cannotFreeze(error: "\(error)"))
    }
  }

  func letRun() {
    do throws(SystemError) {
      try run?.freezer?.letRun()
    } catch {
      // ENODEV: it is gone, which will be told.
      if error.errno != ENODEV { say(.cannotThaw(error: "\(error)")) }
    }
  }

  func openGate() {
    let isGone = run == nil
    let wasClosed = gateTrouble == nil
    gateTrouble = nil
    lookTrouble = nil
    if isGone { history.counters.undrained += listeners.takenAlong(surroundings.sockDiag) }
    leadBack(gone: isGone)
    if isGone { return }
    if let idleWatch {
      if wasClosed { say(.goesOn) }
      idleWatch.resume()
    } else {
      say(.stays)
    }
  }

  private func leadBack(gone isGone: Bool) {
    let ledBack = listeners.leadBack(gone: isGone, surroundings.sockDiag)
    if isGone { history.counters.parked += ledBack.count } else { history.counters.unparked += ledBack.count }
    history.lost(ledBack.lost, .notUnparked)
    if let failure = ledBack.failure, failure != gateTrouble { say(.cannotLeadApart(error: "\(failure)")) }
    gateTrouble = ledBack.failure
    // Who waits for the next start is led to it then.
    if ledBack.failure != nil && !isGone { leadBackLater() }
  }

  /// The guest goes on, and its clients do not come to it: nothing else would bring them.
  private func leadBackLater() {
    do throws(SystemError) {
      returnLater = try surroundings.loop.after(Self.returnPause) { [unowned self] in
        returnLater = nil
        leadBack(gone: false)
      }
    } catch {
      say(.cannotLeadApart(error: "\(error)"))
    }
  }

  func lookAgain() {
    do throws(SystemError) {
      if try isUsed() { return take(.used) }
      if isUndecided {
        // Last, and for the shortest time: who comes to a path meanwhile cannot come back to this guest, should it go on.
        guard leadsApart(returning: false) else { return take(.gateFailed) }
        if try isUsed() { return take(.used) }
      }
      take(.unused)
    } catch {
      // It is looked again and again while those who use it are waited for.
      if lookTrouble != error { say(.cannotWatchIdleness(error: "\(error)")) }
      lookTrouble = error
      keep(because: "the kernel does not tell whether it is used")
      take(.used)
    }
  }

  private func isUsed() throws(SystemError) -> Bool {
    switch state {
    case .parting(let parting) where !parting.isCancellable: try isInUseStill()
    case .parting where stopCause == .idle: try idleWatch?.judge() != .stop
    case .parting: try isInUse()
    case .released, .holding, .inactive, .launching, .activating, .active, .freezing, .frozen, .leaving, .deactivating,
      .failed:
      false
    }
  }

  private func isInUse() throws(SystemError) -> Bool {
    let found = try socketLook.take()
    keep(because: found.words)
    return found.usage.inUse
  }

  /// Whether somebody uses the guest, or waits at a listener of its own: who waits apart is not to be waited for.
  private func isInUseStill() throws(SystemError) -> Bool {
    if listeners.all.contains(where: { $0.isAdopted != false && $0.isSomebodyQueued }) { return true }
    return try socketLook.take().connections.contains { !$0.queued }
  }

  func takeQueues() {
    // When it cannot be told, the listener is taken from the guest too: it loses nobody by that.
    let isHalfOpen = (try? socketLook.take())?.isHalfOpen ?? true
    let taken = listeners.takeQueues(halfOpen: isHalfOpen)
    if let failure = taken.failure { say(.cannotLeadApart(error: "\(failure)")) }
    history.lost(taken.lost, .notUnparked)
    listeners.noteLeftBehind(surroundings.sockDiag)
  }
}
