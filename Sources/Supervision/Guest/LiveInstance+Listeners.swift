import ControlProtocol
import Linux
import Listeners

// Which of its listeners the guest has open.
extension LiveInstance {
  /// Finds the listeners that the guest did not take. No process will ever accept there, so clients are refused instead of left waiting.
  func checkAdoption() {
    guard let held = heldInodes() else { return }
    listeners.recordAdoption(by: held)
    for listener in listeners.all where listener.isAdopted == false { log(.notAdopted(socket: listener.address)) }
    refuseClients()
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
    log(.listenerClosed(socket: listener.address, waiting: count))
    supervisor.lastFailure = "it closed \(listener.address) while clients waited there"
    supervisor.handle(.listenerClosed)
  }

  /// No process of the guest will ever accept at the listeners that it did not take.
  private func refuseClients() {
    refusal.begin(at: listeners.all.filter { $0.isAdopted == false })
  }

  /// Which of the listeners the guest's processes have open; nil when that is not known.
  private func heldInodes() -> Set<UInt64>? { instance?.holders(of: Set(listeners.all.map(\.inode))) }
}
