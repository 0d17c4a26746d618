import ControlProtocol
import GuestSpec
import Linux
import Listeners

// Which of its listeners the guest has open.
extension LiveInstance {
  /// Finds the listeners that the guest did not take. No process will ever accept there, so clients are refused instead of left waiting.
  func checkAdoption() {
    guard let held = heldInodes() else { return }
    listeners.recordAdoption(by: held)
    explain(listeners.all.filter { $0.isAdopted == false }) { [unowned self] in
      log(.notAdopted(socket: $0.address, $1))
    }
    refuseClients()
  }

  /// Finds out why no process of the guest has these listeners open.
  private func explain(_ listeners: [Listener], _ found: @escaping (Listener, Unserved) -> Void) {
    let predicted = supervisor.agreement
    diagnosis.explain(listeners, of: askable, predicted: predicted) { [weak self] listener, why in
      // The instance may have ended before it answered.
      if let self, supervisor.live === self { found(listener, why) }
    }
  }

  /// Finds listeners that the guest has closed while it seemed to shut down. It is stopped when a client waits at one of them, not before.
  func checkListeners() {
    refuseClients()
    guard let held = heldInodes() else { return }
    for listener in listeners.all where listener.isAdopted != false && !held.contains(listener.inode) {
      watchClosed(listener)
    }
  }

  /// Checks that the guest still has the listeners open at which clients wait.
  func check(_ found: SocketScan.Found) {
    // The check after the start did not succeed.
    if listeners.all.contains(where: { $0.isAdopted == nil }) { checkAdoption() }
    let waiting = found.waiting.filter { $0.listener.isAdopted == true }
    if waiting.isEmpty { return }
    guard let held = heldInodes() else { return }
    guard let lost = waiting.first(where: { !held.contains($0.listener.inode) }) else { return }
    closed(lost.listener, waiting: lost.count)
  }

  /// Stops the guest when a client waits at a listener that it has closed: no process can open it again, because a guest gets its listeners
  /// only at its start.
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
    // The client stays in the queue until the guest has answered, and epoll would report it in every turn.
    listener.stopWatching()
    explain([listener]) { [unowned self] listener, why in
      log(.listenerClosed(socket: listener.address, waiting: count, why))
      supervisor.lastFailure = "it closed \(listener.address) while clients waited there: \(why)"
      supervisor.handle(.listenerClosed)
    }
  }

  /// Refuses clients at the listeners that the guest did not take, because no process of it will ever accept there.
  private func refuseClients() {
    refusal.begin(at: listeners.all.filter { $0.isAdopted == false })
  }

  /// Which of the listeners the guest's processes have open; nil when that is not known.
  private func heldInodes() -> Set<UInt64>? { instance?.holders(of: Set(listeners.all.map(\.inode))) }
}

// The connections that end.
extension LiveInstance {
  /// Has the ends of connections reported, but not of those at listeners that the guest did not take.
  func watchEnds() {
    do throws(SystemError) {
      scan.receivesEnds = false
      try context.endedConnections.notify(guest.name, of: scan.servedPorts) { [unowned self] in
        connectionsEnded($0)
      }
      scan.receivesEnds = true
    } catch {
      log(.cannotScan(error: "\(error)"))
    }
  }

  private func connectionsEnded(_ connections: [TCPConnection]?) {
    guard let unanswered = scan.recordEnded(connections) else { return }
    // `kill` has counted the connections of a killed guest.
    if supervisor.state.isHalting, !isKilled { history.lost(unanswered, .unanswered) }
    idleWatch?.connectionEnded()
  }
}
