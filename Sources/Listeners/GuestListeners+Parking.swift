import Lifecycle
import Linux

// Parking at all listeners of a guest together.
extension GuestListeners {
  private static let descriptorsPerStop = 4
  /// How many descriptors a running guest needs for each socket: the socket, the duplicate that the guest gets, and what a stop takes.
  package static let descriptorsPerSocket = 2 + descriptorsPerStop

  /// Sets aside as many descriptors as a stop takes: for each listener a standby and three of the steering, and three more for scans, the
  /// store and datagrams that are sent again. So a daemon without descriptors can still stop its guests.
  ///
  /// - Throws: `SystemError` when there are not so many.
  package func keepEmergencyDescriptors() throws(SystemError) {
    if emergencyDescriptors != nil || all.isEmpty { return }
    let spare = try memoryFile("reserve")
    let list = DescriptorList()
    for _ in 0..<(Self.descriptorsPerStop * all.count + 3) { list.append(try spare.duplicate()) }
    list.append(spare)
    emergencyDescriptors = list
  }

  /// Steers new clients to the standby listeners, at each listener where that is possible.
  ///
  /// - Parameter which: all listeners, or only those whose parked clients can be moved back to the same instance.
  /// - Returns: whether `awaitLookups` has to follow before the guest's sockets are scanned or drained.
  /// - Throws: `SystemError` of the last listener that cannot be diverted, for want of descriptors or memory. The others are diverted all the
  ///   same; `restore` undoes it for all of them.
  package func divert(_ which: Divertible) throws(SystemError) -> Bool {
    emergencyDescriptors = nil
    var isSteered = false
    var failure: SystemError?
    for listener in all where listener.isAdopted != false && (which == .all || listener.canRestore) {
      var opened: HeldSocket?
      do throws(SystemError) {
        // In the store before a client can come to it: this daemon may be killed at any moment.
        let steered = try listener.divert(alarm?.filter) { standby in
          opened = standby
          keepStored(listener, standby: standby)
          store.flush()
        }
        if steered { isSteered = true }
      } catch {
        if let opened, listener.standby == nil { store.drop(opened) }
        failure = error
      }
    }
    if let failure { throw failure }
    return isSteered
  }

  /// Moves the clients that the guest has not accepted to the standbys.
  ///
  /// - Parameter halfOpen: whether TCP clients are in their handshake.
  /// - Returns: how many were lost, and the last failure. A failure at one listener does not keep the others from being drained.
  package func drainQueues(halfOpen: Bool) -> Listener.Unparked {
    var sum = Listener.Unparked()
    for listener in all {
      do throws(SystemError) { sum += try listener.drainQueue(halfOpen: halfOpen) } catch { sum.failure = error }
    }
    return sum
  }

  /// Moves clients to the next instance's sockets who could not be moved when the last one was gone.
  ///
  /// - Returns: how many were moved and lost; with a failure some are still parked, and the instance must not start.
  package func prepareForStart() -> Listener.Unparked {
    var sum = Listener.Unparked()
    for listener in all where sum.failure == nil {
      do throws(SystemError) {
        sum += try forgettingStandby(of: listener) { () throws(SystemError) in try listener.prepare() }
      } catch {
        sum.failure = error
      }
    }
    return sum
  }

  /// How many clients wait for the instance that is about to get the sockets.
  package func queued(_ diag: SockDiag) -> Int { all.reduce(0) { $0 + $1.queued(diag) } }

  /// Records which clients have left without having been accepted, before `drainQueues`. They do not have the next instance started.
  package func recordGone(_ diag: SockDiag) {
    for listener in all { listener.recordGone(diag) }
  }

  /// Records how many clients are left in the guest's queues, because the kernel cannot move them.
  package func recordUndrained(_ diag: SockDiag) {
    for listener in all { listener.undrained = listener.isAdopted == false ? 0 : listener.queued(diag) }
  }

  /// How many of those have left the queues, now that the guest is gone: it accepted them, or dropped them.
  package func drainedByGuest(_ diag: SockDiag) -> Int {
    // The queue of an AF_UNIX socket stays with the guest.
    for listener in all where listener.local.port == nil && !listener.gone.isEmpty {
      listener.gone.remain(listener.queued(diag))
    }
    return all.reduce(0) { sum, listener in
      defer { listener.undrained = 0 }
      return listener.undrained == 0 ? sum : sum + max(0, listener.undrained - listener.queued(diag))
    }
  }

  /// Gives the listeners their paths back that a killed daemon left to its standby sockets.
  ///
  /// - Returns: the last error. Nil when there was none.
  package func recoverPaths(_ diag: SockDiag) -> SystemError? {
    var failure: SystemError?
    for listener in all {
      do throws(SystemError) { try listener.recoverPath(diag) } catch { failure = error }
    }
    return failure
  }

  /// Steers clients to the listeners of an instance that goes on, and moves the parked ones there.
  ///
  /// - Returns: how many were moved and lost, and the last failure; no listener is left out for another's.
  package func restore() -> Listener.Unparked {
    for listener in all { listener.undrained = 0 }
    let sum = unpark(forNext: false) { listener throws(SystemError) in try listener.restore() }
    // The instance will be stopped another time, perhaps when no descriptor is left.
    try? keepEmergencyDescriptors()
    return sum
  }

  /// Makes parked clients those of the next instance, now that the last one is gone.
  ///
  /// - Returns: as `restore`.
  package func unparkForNext(_ diag: SockDiag) -> Listener.Unparked {
    unpark(forNext: true) { listener throws(SystemError) in try listener.unparkForNext(diag) }
  }

  private func unpark(
    forNext isForNext: Bool, _ body: (Listener) throws(SystemError) -> Listener.Unparked
  ) -> Listener.Unparked {
    var sum = Listener.Unparked()
    // A failure is ignored here, because it occurs again below.
    let steered = all.map { (try? $0.steerBack(repairing: isForNext)) == true }
    if steered.contains(true) { awaitLookups() }
    for listener in all {
      do throws(SystemError) {
        sum += try forgettingStandby(of: listener) { () throws(SystemError) in try body(listener) }
      } catch {
        sum.failure = error
      }
    }
    return sum
  }
}
