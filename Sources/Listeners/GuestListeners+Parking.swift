import Lifecycle
import Linux

// All listeners of a guest together: new clients wait apart from a guest on its way out.
extension GuestListeners {
  /// Sets as many descriptors aside as a stop takes: of each listener a standby and a steering's three, and some to look and to
  /// send datagrams again by. A daemon that has none left by then can stop its guests all the same.
  ///
  /// - Throws: `SystemError` when there are not so many.
  package func keepEmergencyDescriptors() throws(SystemError) {
    if emergencyDescriptors != nil || all.isEmpty { return }
    let spare = try memoryFile("reserve")
    let list = DescriptorList()
    for _ in 0..<(4 * all.count + 3) { list.append(try spare.duplicate()) }
    list.append(spare)
    emergencyDescriptors = list
  }

  /// Leads new clients apart, at each listener where that can be.
  ///
  /// - Parameter returning: only at those from whose standby clients can come back to the same guest.
  /// - Throws: `SystemError` of the last for which there was no place; no other is left out for it. `restore` leads all of them back.
  package func divert(_ which: Divertible) throws(SystemError) {
    emergencyDescriptors = nil
    var failure: SystemError?
    for listener in all where listener.isAdopted != false && (which == .all || listener.canRestore) {
      var opened: HeldSocket?
      do throws(SystemError) {
        // A daemon that is killed once clients can come there leaves it to the next one.
        try listener.divert(alarm?.filter) { standby in
          opened = standby
          keepStored(listener, standby: standby)
          store.flush()
        }
      } catch {
        if let opened, listener.standby == nil { store.drop(opened) }
        failure = error
      }
    }
    if let failure { throw failure }
  }

  /// Takes those apart as well whom the guest has not accepted.
  ///
  /// - Returns: how many were lost, and the last failure; no listener is left out for another's.
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

  /// Notes who is left to the guest, because the kernel cannot move him.
  package func recordUndrained(_ diag: SockDiag) {
    for listener in all { listener.undrained = listener.isAdopted == false ? 0 : listener.queued(diag) }
  }

  /// How many of those do not wait any more, now that the guest is gone.
  package func drainedByGuest(_ diag: SockDiag) -> Int {
    all.reduce(0) { sum, listener in
      defer { listener.undrained = 0 }
      return listener.undrained == 0 ? sum : sum + max(0, listener.undrained - listener.queued(diag))
    }
  }

  /// Puts the paths right that a killed daemon left to standby sockets of its own.
  ///
  /// - Returns: the last error.
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
    let sum = unpark { listener throws(SystemError) in try listener.restore() }
    // The instance will be stopped another time, perhaps when no descriptor is left.
    try? keepEmergencyDescriptors()
    return sum
  }

  /// Makes parked clients those of the next instance, now that the last one is gone.
  ///
  /// - Returns: as `restore`.
  package func unparkForNext(_ diag: SockDiag) -> Listener.Unparked {
    unpark { listener throws(SystemError) in try listener.unparkForNext(diag) }
  }

  private func unpark(_ body: (Listener) throws(SystemError) -> Listener.Unparked) -> Listener.Unparked {
    var sum = Listener.Unparked()
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
