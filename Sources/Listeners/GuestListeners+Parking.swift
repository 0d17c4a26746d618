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
  package func divert(returning: Bool) throws(SystemError) {
    emergencyDescriptors = nil
    var failure: SystemError?
    for listener in all where listener.isAdopted != false && (!returning || listener.canRestore) {
      var opened: HeldSocket?
      do throws(SystemError) {
        // A daemon that is killed once clients can come there leaves it to the next one.
        try listener.divert(alarm) { standby in
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

  /// Moves those to the next guest's sockets who could not be moved when the last one had gone.
  ///
  /// - Throws: `SystemError`; who was not moved waits apart still, and the guest must not start.
  func prepare() throws(SystemError) {
    for listener in all {
      let done = try forgettingStandby(of: listener) { () throws(SystemError) in try listener.prepare() }
      unparkedLate += done
      if let failure = done.failure { throw failure }
    }
  }

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

  /// Leads clients to the listeners again: of a guest that goes on, or with `gone` for the next one.
  ///
  /// - Returns: how many came back, and the last failure; no listener is left out for another's.
  package func restore(gone: Bool, _ diag: SockDiag) -> Listener.Unparked {
    var sum = Listener.Unparked()
    for listener in all {
      if !gone { listener.undrained = 0 }
      do throws(SystemError) {
        sum += try forgettingStandby(of: listener) { () throws(SystemError) in
          gone ? try listener.unparkForNext(diag) : try listener.restore()
        }
      } catch {
        sum.failure = error
      }
    }
    // A guest that goes on is stopped another time, perhaps without it.
    if !gone { try? keepEmergencyDescriptors() }
    return sum
  }
}
