import ControlProtocol
import Lifecycle
import Linux
import Listeners

// The clients of a guest that stops: new ones are parked, and those in its queues are moved there.
extension LiveInstance {
  func divert(_ which: Divertible) -> Event? {
    restoreRetry.cancel()
    do throws(SystemError) {
      let isSteered = try listeners.divert(which)
      // When only some listeners were diverted, the others may still fail.
      if which == .all { divertFailure.reset() }
      isDiverted = true
      diversions += 1
      return isSteered ? awaitDiversion(diversions) : .diverted
    } catch {
      // Logged once, because `Lifecycle` may try again and again.
      if divertFailure.isNew(error) { log(.cannotPark(error: "\(error)")) }
      isDiverted = false
      supervisor.waiters.use = "new clients cannot be parked: \(error)"
      return .divertFailed
    }
  }

  /// - Returns: nil when the answer comes later, as an event: when no packet is being delivered to the guest's sockets any more.
  private func awaitDiversion(_ number: Int) -> Event? {
    guard supervisor.state.awaitsDiversion, let barrier = context.barrier else {
      awaitLookups()
      return .diverted
    }
    barrier.wait { [weak self] in
      // Meanwhile the clients may have been restored to the guest, or diverted anew.
      guard let self, isDiverted, diversions == number else { return }
      supervisor.handle(.diverted)
    }
    return nil
  }

  /// Steers clients to the guest again, because it keeps running.
  func restore() {
    scanFailure.reset()
    isDiverted = false
    steerBack()
  }

  private func steerBack() {
    let unparked = listeners.restore()
    history.counters[.unparked] += unparked.count
    history.lost(unparked.lost, .notUnparked)
    guard let failure = unparked.failure else { return restoreFailure.reset() }
    if restoreFailure.isNew(failure) { log(.cannotUnpark(error: "\(failure)")) }
    // Nothing else would bring the parked clients to the guest.
    do throws(SystemError) {
      try restoreRetry.schedule { [unowned self] in steerBack() }
    } catch {
      log(.cannotUnpark(error: "\(error)"))
    }
  }

  /// Moves the clients that the guest has not accepted to where new ones are parked.
  func drainQueues() {
    // One that ends by itself, or was not ready, may have had no time for them.
    let cause = supervisor.state.haltCause
    if isReady, cause == .idle || cause == .request { listeners.recordGone(context.sockDiag) }
    // If that is unknown, half-open connections are assumed, which loses no client.
    let isHalfOpen = (try? scan.isAnyHalfOpen()) ?? true
    let drained = listeners.drainQueues(halfOpen: isHalfOpen)
    if let failure = drained.failure { log(.cannotPark(error: "\(failure)")) }
    history.lost(drained.lost, .notUnparked)
    listeners.recordUndrained(context.sockDiag)
  }

  /// Answers what the table wants to know before a guest is stopped or frozen.
  func scan(for question: Question) -> Event {
    do throws(SystemError) {
      if try isUsed(question) { return .used }
      return question == .freezeDue && listeners.isSomebodyUnaccepted ? .leftOver : .unused
    } catch {
      // Logged once, because a draining guest is scanned again and again.
      if scanFailure.isNew(error) { log(.cannotScan(error: "\(error)")) }
      supervisor.waiters.use = "cannot tell whether anybody uses it"
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
      // Parked clients do not count.
      if listeners.all.contains(where: { $0.isAdopted != false && $0.isSomebodyQueued }) { return true }
      return try scan.scan().connections.contains { !$0.queued }
    }
  }

  /// What uses the guest, in words; nil when nobody does.
  func use() throws(SystemError) -> String? {
    if isAttended { return Self.attended }
    let found = try scan.scan()
    if !found.usage.inUse { return nil }
    if found.connections.isEmpty { return "unread datagrams wait" }
    let peers = found.connections.prefix(3).map { $0.remote ?? $0.socket }.joined(separator: ", ")
    return found.connections.count == 1
      ? "1 connection is open (\(peers))" : "\(found.connections.count) connections are open (\(peers))"
  }

  static let attended = "somebody is attached to one of its terminals"
}

// What is parked when the guest starts.
extension LiveInstance {
  /// Makes the parked clients those of the new instance, as its sockets are duplicated for it.
  ///
  /// - Throws: `SystemError` when some cannot be moved.
  func unparkForStart() throws(SystemError) {
    let unparked = listeners.prepareForStart()
    history.counters[.parked] += unparked.count
    history.lost(unparked.lost, .notUnparked)
    if let failure = unparked.failure { throw failure }
    for listener in listeners.all where listener.listen.kind == .datagram {
      // The first call has the kernel stamp datagrams from then on.
      _ = try lastDatagram(on: listener.descriptor)
    }
  }
}
