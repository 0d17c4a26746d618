import Linux

// All listeners of a guest together: new clients wait apart from a guest on its way out.
extension GuestListeners {
  /// Leads new clients apart, at each listener where that can be.
  ///
  /// - Throws: `SystemError` of the first for which there was no place; the others are led back by `leadBack`.
  func leadApart() throws(SystemError) {
    for listener in all where listener.isAdopted != false {
      try listener.leadApart(alarm) { keepStored(listener) }
    }
  }

  /// Takes those apart as well whom the guest has not accepted.
  ///
  /// - Throws: `SystemError` of the last that failed; no other is left out.
  func takeQueues(halfOpen: Bool) throws(SystemError) {
    var failure: SystemError?
    for listener in all {
      do throws(SystemError) { try listener.takeQueue(halfOpen: halfOpen) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// Puts the paths right that a killed daemon left to second sockets of its own.
  ///
  /// - Returns: the last error.
  func recoverPaths(_ diag: SockDiag) -> SystemError? {
    var failure: SystemError?
    for listener in all {
      do throws(SystemError) { try listener.recoverPath(diag) } catch { failure = error }
    }
    return failure
  }

  /// Leads clients to the listeners again: of a guest that goes on, or with `gone` for the next one.
  ///
  /// - Returns: how many came back, and the last error; no listener is left out for another's.
  func leadBack(gone: Bool, _ diag: SockDiag) -> (Listener.LedBack, SystemError?) {
    var sum = Listener.LedBack()
    var failure: SystemError?
    for listener in all {
      do throws(SystemError) {
        sum += gone ? try listener.settle(diag) : try listener.leadBack()
      } catch {
        failure = error
      }
    }
    return (sum, failure)
  }
}
