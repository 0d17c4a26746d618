import ControlProtocol
import Glibc
import Launching
import Linux
import Systemd

// While the guest serves: who uses it, and whether it took its listeners.
extension Supervisor {
  func watchIdleness() {
    if history.lastWake?.readyMs == nil {
      let after = sinceTrigger
      history.lastWake?.readyMs = after.milliseconds
      say(.ready(after: after))
      checkAdoption()
    } else {
      comeBack()
    }
    watchEnds()
    let watch = IdleWatch(
      guest, look: socketScan, context: context,
      handlers: IdleWatch.Handlers(
        idle: { [unowned self] in idle() },
        freezeDue: { [unowned self] in take(.freezeDue) },
        activity: { [unowned self] in take(.activity) },
        parkedTooLong: { [unowned self] in makeWay() },
        looked: { [unowned self] in looked($0) },
        failed: { [unowned self] in say(.cannotWatchIdleness(error: "\($0)")) }))
    idleWatch = watch
    watch.start()
  }

  /// It seemed to leave, and may have let go of listeners meanwhile: it is not ended for that before somebody waits there.
  private func comeBack() {
    let held = heldInodes()
    for listener in listeners.all {
      if listener.isAdopted == false {
        refuse(listener)
      } else if let held, !held.contains(listener.inode) {
        awaitSomebody(at: listener)
      }
    }
  }

  /// No guest holds the listener, nor will this one again: systemd would have to be given it anew.
  private func awaitSomebody(at listener: Listener) {
    do throws(SystemError) {
      try listener.watch(context.loop) { [unowned self, unowned listener] in
        listenerClosed(listener, waiting: max(1, listener.queued(context.sockDiag)))
      }
    } catch {
      say(.cannotWatchIdleness(error: "\(error)"))
    }
  }

  func unwatchIdleness() {
    idleWatch?.stop()
    idleWatch = nil
    // Those that the guest did not take were watched to refuse their clients.
    listeners.stopWatching()
  }

  /// Hears of the connections that end, from the start on, though not at sockets that the guest is known to have left alone.
  func watchEnds() {
    do throws(SystemError) {
      socketScan.receivesEnds = false
      try context.endedConnections.tell(name, of: socketScan.servedPorts) { [unowned self] in
        connectionsEnded($0)
      }
      socketScan.receivesEnds = true
    } catch {
      say(.cannotWatchIdleness(error: "\(error)"))
    }
  }

  private func connectionsEnded(_ connections: [TCPConnection]?) {
    guard let unanswered = socketScan.recordEnded(connections) else { return }
    // Those of a killed one have been counted.
    if isOnItsWayOut, run?.isKilled != true { history.lost(unanswered, .unanswered) }
    idleWatch?.connectionEnded()
  }

  private var isOnItsWayOut: Bool {
    switch state {
    case .selfShutdown, .deactivating: true
    case .unbound, .binding, .inactive, .launching, .activating, .active, .freezing, .frozen, .parting, .failed: false
    }
  }

  private func idle() {
    say(.idle(since: guest.policy.idleStop ?? .zero))
    stopCause = .idle
    take(.idle)
  }

  /// Clients have waited for long at a socket that this guest does not have, and it is never unused.
  private func makeWay() {
    stopCause = .parkedTooLong
    take(.sleepRequested(now: true))
  }

  /// Clients wait: does the guest still hold the listener at which they do?
  private func looked(_ found: SocketScan.Found) {
    // It could not be told before.
    if listeners.all.contains(where: { $0.isAdopted == nil }) { checkAdoption() }
    let waiting = found.waiting.filter { $0.listener.isAdopted == true }
    if waiting.isEmpty { return }
    guard let held = heldInodes() else { return }
    guard let lost = waiting.first(where: { !held.contains($0.listener.inode) }) else { return }
    listenerClosed(lost.listener, waiting: lost.count)
  }

  private func listenerClosed(_ listener: Listener, waiting count: Int) {
    say(.listenerClosed(socket: listener.address, waiting: count))
    lastFailure = "it let go of \(listener.address) while clients waited there"
    stopCause = .listenerClosed
    take(.listenerClosed)
  }

  /// What the guest did not take nobody will ever accept from: its clients are refused rather than left hanging.
  private func checkAdoption() {
    guard let held = heldInodes() else { return }
    listeners.recordAdoption(by: held)
    for listener in listeners.all where listener.isAdopted == false {
      say(.notAdopted(socket: listener.address))
      refuse(listener)
    }
  }

  private func refuse(_ listener: Listener) {
    do throws(SystemError) {
      // No guest holds this socket, so nobody else accepts from it.
      try listener.watch(context.loop) { [unowned self, unowned listener] in
        do throws(SystemError) {
          let refused = try refuseQueued(on: listener.descriptor, limit: 64)
          history.counters.connectionsRefused += refused
          history.lost(refused, .notAdopted)
        } catch {
          if error.errno == EINVAL { listener.stopWatching() } else { refuseLater(listener) }
        }
      }
    } catch {
      say(.cannotWatchIdleness(error: "\(error)"))
    }
  }

  /// Only a lack of descriptors or memory leads here, and the kernel has no event for its end.
  private func refuseLater(_ listener: Listener) {
    do throws(SystemError) {
      try listener.rest(context.loop) { [unowned self, unowned listener] in refuse(listener) }
    } catch {
      listener.stopWatching()
      say(.cannotWatchIdleness(error: "\(error)"))
    }
  }

  /// As many descriptors of the guest are looked at: a second's work for a guest that opens them for nothing else.
  private static let descriptorLimit = 1 << 18

  /// Which of its listeners the guest's processes hold; nil when that cannot be told.
  private func heldInodes() -> Set<UInt64>? {
    guard let run, let processes = try? run.cgroup.processes() else { return nil }
    var search = SocketSearch(for: Set(listeners.all.map(\.inode)), limit: Self.descriptorLimit)
    // PID 1 first: a systemd holds them all, and what the others have open need not be looked at.
    for pid in [run.process.pid] + processes {
      do throws(SystemError) {
        let hasAny = try search.scan(process: pid)
        if !hasAny, pid == run.process.pid { return nil }
      } catch {
        // A process may end between the listing and the look at it. What another error hides might be a listener.
        if error.errno != ENOENT && error.errno != ESRCH { return nil }
      }
    }
    // A guest that died meanwhile holds nothing, and its end is on its way: that is no judgement on what it took.
    guard (try? hasInput(run.process.pidfd)) == false, !search.isExhausted else { return nil }
    return search.found
  }
}
