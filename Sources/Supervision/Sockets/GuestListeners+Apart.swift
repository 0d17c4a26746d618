import GuestSpec
import Launching
import Linux

// All listeners of a guest together: new clients wait apart from a guest on its way out.
extension GuestListeners {
  /// Takes over those that are wanted, and not here already, from the guest of a killed daemon: it has the same sockets.
  func takeOver(from process: GuestProcess, _ guest: Guest) {
    let wanted = guest.sockets.flatMap { group in group.listen.map { (listen: $0, group: group) } }
    // Whoever is not found is bound anew when the guest is gone.
    let (pid, limit) = (process.payloadPID, Self.mostTaken)
    try? forEachSocket(ofProcess: pid, pidfd: process.payloadPidfd, limit: limit) { descriptor in
      guard let address = try? localAddress(of: descriptor), let kind = try? kind(of: descriptor),
        let match = wanted.first(where: { listen, _ in
          listen.kind.inKernel == kind && (try? SocketAddress(listen.address)) == address
            && !all.contains { $0.listen == listen }
        }),
        kind == .datagram || (try? isListening(descriptor)) == true,
        let listener = try? Listener(descriptor, as: match.listen, of: match.group, passed: false)
      else { return true }
      add(listener)
      return true
    }
  }

  private static let mostTaken = 4096

  /// Leads new clients apart, at each listener where that can be.
  ///
  /// - Throws: `SystemError` of the first for which there was no place; the others are led back by `leadBack`.
  func leadApart() throws(SystemError) {
    for listener in all where listener.isAdopted != false { try listener.leadApart(alarm) }
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
