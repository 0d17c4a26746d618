import ControlProtocol
import Glibc
import Linux
import Listeners

// Whether the guest has its listeners open.
extension LiveInstance {
  /// What the guest did not take nobody will ever accept from: its clients are refused rather than left waiting.
  func checkAdoption() {
    guard let held = heldInodes() else { return }
    listeners.recordAdoption(by: held)
    for listener in listeners.all where listener.isAdopted == false {
      log(.notAdopted(socket: listener.address))
      refuseClients(of: listener)
    }
  }

  /// The guest seemed to shut down, and may have closed listeners meanwhile: it is not stopped for that before a client waits there.
  func checkListeners() {
    let held = heldInodes()
    for listener in listeners.all {
      if listener.isAdopted == false {
        refuseClients(of: listener)
      } else if let held, !held.contains(listener.inode) {
        watchClosed(listener)
      }
    }
  }

  /// Clients wait: does the guest still have the listeners open at which they do?
  func check(_ found: SocketScan.Found) {
    // That was not known before.
    if listeners.all.contains(where: { $0.isAdopted == nil }) { checkAdoption() }
    let waiting = found.waiting.filter { $0.listener.isAdopted == true }
    if waiting.isEmpty { return }
    guard let held = heldInodes() else { return }
    guard let lost = waiting.first(where: { !held.contains($0.listener.inode) }) else { return }
    closed(lost.listener, waiting: lost.count)
  }

  /// No process of the guest has the listener open, nor will one again: systemd would have to be given it anew.
  private func watchClosed(_ listener: Listener) {
    do throws(SystemError) {
      try listener.watch(context.loop) { [unowned self, unowned listener] in
        closed(listener, waiting: max(1, listener.queued(context.sockDiag)))
      }
    } catch {
      log(.cannotScan(error: "\(error)"))
    }
  }

  private func closed(_ listener: Listener, waiting count: Int) {
    log(.listenerClosed(socket: listener.address, waiting: count))
    supervisor.lastFailure = "it closed \(listener.address) while clients waited there"
    supervisor.handle(.listenerClosed)
  }

  private func refuseClients(of listener: Listener) {
    do throws(SystemError) {
      // No guest has this socket, so nobody else accepts from it.
      try listener.watch(context.loop) { [unowned self, unowned listener] in
        do throws(SystemError) {
          let refused = try refuseQueued(on: listener.descriptor, limit: 64)
          history.counters[.connectionsRefused] += refused
          history.lost(refused, .notAdopted)
        } catch {
          if error.errno == EINVAL { listener.stopWatching() } else { refuseLater(listener) }
        }
      }
    } catch {
      log(.cannotScan(error: "\(error)"))
    }
  }

  /// Only a lack of descriptors or memory leads here, and the kernel has no event for its end.
  private func refuseLater(_ listener: Listener) {
    do throws(SystemError) {
      try listener.rest(context.loop) { [unowned self, unowned listener] in refuseClients(of: listener) }
    } catch {
      listener.stopWatching()
      log(.cannotScan(error: "\(error)"))
    }
  }

  /// Which of the listeners the guest's processes have open; nil when that is not known.
  private func heldInodes() -> Set<UInt64>? { instance?.holders(of: Set(listeners.all.map(\.inode))) }
}
