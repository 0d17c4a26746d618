import ControlProtocol
import Glibc
import GuestSpec
import Lifecycle
import Linux
import Listeners

// A guest on its way out: new clients wait apart from it, and nothing that was queued is left to it.
extension Supervisor {
  /// How long those who use a guest that has to go are waited for, and how often it is looked whether they have done.
  static let drainPatience = Duration.seconds(2)
  static let drainPause = Duration.milliseconds(10)
  /// What the kernel did not do it is asked for again after this time.
  private static let restorePause = Duration.milliseconds(100)

  func divert() {
    restoreLater = nil
    take(diverts(returning: isUndecided) ? .diverted : .divertFailed)
  }

  /// - Returns: false when there is no place for new clients to wait, which has been said.
  private func diverts(returning: Bool) -> Bool {
    do throws(SystemError) {
      try listeners.divert(returning: returning)
      divertFailure = nil
      return true
    } catch {
      // It may be tried again and again.
      if divertFailure != error { say(.cannotPark(error: "\(error)")) }
      divertFailure = error
      keep(because: "its new clients cannot be diverted from it: \(error)")
      return false
    }
  }

  private var isUndecided: Bool { if case .parting(let parting) = state { parting.isCancellable } else { false } }

  /// Should the stop be cancelled now, whoever asked for it is told this.
  private func keep(because reason: String) {
    if isUndecided { waiters.keptBecause = reason }
  }

  func quiesce() {
    do throws(SystemError) {
      try run?.freezer?.quiesce()
    } catch {
      say(.cannotFreeze(error: "\(error)"))
    }
  }

  func resume() {
    do throws(SystemError) {
      try run?.freezer?.resume()
    } catch {
      // ENODEV: it is gone, which will be told.
      if error.errno != ENODEV { say(.cannotThaw(error: "\(error)")) }
    }
  }

  func restore() {
    let isGone = run == nil
    let wasClosed = divertFailure == nil
    divertFailure = nil
    scanFailure = nil
    if isGone { history.counters.undrained += listeners.drainedByGuest(context.sockDiag) }
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
    let unparked = listeners.restore(gone: isGone, context.sockDiag)
    if isGone { history.counters.parked += unparked.count } else { history.counters.unparked += unparked.count }
    history.lost(unparked.lost, .notUnparked)
    if let failure = unparked.failure, failure != divertFailure { say(.cannotPark(error: "\(failure)")) }
    divertFailure = unparked.failure
    // Who waits for the next start is led to it then.
    if unparked.failure != nil && !isGone { scheduleRestore() }
  }

  /// The guest goes on, and its clients do not come to it: nothing else would bring them.
  private func scheduleRestore() {
    do throws(SystemError) {
      restoreLater = try context.loop.after(Self.restorePause) { [unowned self] in
        restoreLater = nil
        leadBack(gone: false)
      }
    } catch {
      say(.cannotPark(error: "\(error)"))
    }
  }

  func rescan() {
    do throws(SystemError) {
      if try isUsed() { return take(.used) }
      if isUndecided {
        // Last, and for the shortest time: who comes to a path meanwhile cannot come back to this guest, should it go on.
        guard diverts(returning: false) else { return take(.divertFailed) }
        if try isUsed() { return take(.used) }
      }
      take(.unused)
    } catch {
      // It is looked again and again while those who use it are waited for.
      if scanFailure != error { say(.cannotWatchIdleness(error: "\(error)")) }
      scanFailure = error
      keep(because: "the kernel does not tell whether it is used")
      take(.used)
    }
  }

  private func isUsed() throws(SystemError) -> Bool {
    switch state {
    case .parting(let parting) where !parting.isCancellable: try isInUseStill()
    case .parting where stopCause == .idle: try idleWatch?.judge() != .stop
    case .parting: try isInUse()
    case .unbound, .binding, .inactive, .launching, .activating, .active, .freezing, .frozen, .selfShutdown,
      .deactivating,
      .failed:
      false
    }
  }

  private func isInUse() throws(SystemError) -> Bool {
    let found = try socketScan.take()
    keep(because: found.words)
    return found.usage.inUse
  }

  /// Whether somebody uses the guest, or waits at a listener of its own: who waits apart is not to be waited for.
  private func isInUseStill() throws(SystemError) -> Bool {
    if listeners.all.contains(where: { $0.isAdopted != false && $0.isSomebodyQueued }) { return true }
    return try socketScan.take().connections.contains { !$0.queued }
  }

  func drainQueues() {
    // When it cannot be told, the listener is taken from the guest too: it loses nobody by that.
    let isHalfOpen = (try? socketScan.take())?.isHalfOpen ?? true
    let taken = listeners.drainQueues(halfOpen: isHalfOpen)
    if let failure = taken.failure { say(.cannotPark(error: "\(failure)")) }
    history.lost(taken.lost, .notUnparked)
    listeners.recordUndrained(context.sockDiag)
  }
}
