import ControlProtocol
import Lifecycle
import Linux
import Listeners

// A guest on its way out: new clients are parked, and no queue is left to it.
extension LiveInstance {
  func divert(_ which: Divertible) -> Event {
    restoreRetry.cancel()
    do throws(SystemError) {
      try listeners.divert(which)
      divertFailure.reset()
      isDiverted = true
      return .diverted
    } catch {
      // It may be tried again and again.
      if divertFailure.isNew(error) { log(.cannotPark(error: "\(error)")) }
      isDiverted = false
      supervisor.waiters.use = "its new clients cannot be parked: \(error)"
      return .divertFailed
    }
  }

  /// The guest goes on.
  func restore() {
    scanFailure.reset()
    isDiverted = false
    steerBack()
  }

  private func steerBack() {
    let unparked = listeners.restore()
    history.counters[.unparked] += unparked.count
    history.lost(unparked.lost, .notUnparked)
    guard let failure = unparked.failure else { return divertFailure.reset() }
    if divertFailure.isNew(failure) { log(.cannotPark(error: "\(failure)")) }
    // Nothing else would bring the guest its clients.
    do throws(SystemError) {
      try restoreRetry.schedule { [unowned self] in steerBack() }
    } catch {
      log(.cannotPark(error: "\(error)"))
    }
  }

  /// Moves the clients that the guest has not accepted to where new ones are parked.
  func drainQueues() {
    // When that is not known the listener is taken from the guest too: it loses nobody by that.
    let isHalfOpen = (try? scan.scan())?.isHalfOpen ?? true
    let drained = listeners.drainQueues(halfOpen: isHalfOpen)
    if let failure = drained.failure { log(.cannotPark(error: "\(failure)")) }
    history.lost(drained.lost, .notUnparked)
    listeners.recordUndrained(context.sockDiag)
  }

  /// Answers what the table wants to know before a guest is stopped or frozen.
  func scan(for question: Question) -> Event {
    do throws(SystemError) {
      return try isUsed(question) ? .used : .unused
    } catch {
      // It is scanned again and again while clients of a guest that has to go are waited for.
      if scanFailure.isNew(error) { log(.cannotScan(error: "\(error)")) }
      supervisor.waiters.use = "the kernel does not tell whether it is used"
      return .scanFailed
    }
  }

  private func isUsed(_ question: Question) throws(SystemError) -> Bool {
    switch question {
    case .stopDue: return try idleWatch?.judge() != .stop
    case .freezeDue:
      switch try idleWatch?.judge() {
      case .stop, .freeze: return false
      case .makeWay, .rescan, nil: return true
      }
    case .use:
      supervisor.waiters.use = try use()
      return supervisor.waiters.use != nil
    case .connections:
      // Whoever is parked is not waited for.
      if listeners.all.contains(where: { $0.isAdopted != false && $0.isSomebodyQueued }) { return true }
      return try scan.scan().connections.contains { !$0.queued }
    }
  }

  /// What uses the guest, in words; nil when nobody does.
  func use() throws(SystemError) -> String? {
    if isAttended { return Self.attended }
    let found = try scan.scan()
    if !found.usage.inUse { return nil }
    if found.connections.isEmpty { return "datagrams wait to be read" }
    let peers = found.connections.prefix(3).map { $0.remote ?? $0.socket }.joined(separator: ", ")
    return found.connections.count == 1
      ? "1 connection is open (\(peers))" : "\(found.connections.count) connections are open (\(peers))"
  }

  static let attended = "somebody is attached to one of its terminals"
}
