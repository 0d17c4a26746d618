import ControlProtocol
import Glibc
import Lifecycle
import Linux

// A guest that nobody uses is frozen, and the daemon watches its listeners.
extension LiveInstance {
  /// - Returns: nil when the answer comes later.
  func freeze() -> Event? {
    do throws(SystemError) {
      guard let freezing = instance?.freezing else { return .freezeFailed }
      return try freezing.freeze { [unowned self] in supervisor.handle(.frozen) } ? .frozen : .freezeDelayed
    } catch {
      logFreezeFailure("\(error)")
      return .freezeFailed
    }
  }

  /// Logs the error once until the guest freezes, because `Lifecycle` tries again and again.
  func logFreezeFailure(_ error: String) {
    if freezeFailure.isNew(error) { log(.cannotFreeze(error: error)) }
  }

  /// Thaws the guest when a client comes while it is being frozen: the processes that would serve the client may be frozen already.
  func watchWhileFreezing() {
    do throws(SystemError) {
      try watchForClients()
    } catch {
      // The client waits two seconds at most, until the freezing has succeeded or failed (`Timer.freeze`).
      logFreezeFailure("\(error)")
    }
  }

  private func watchForClients() throws(SystemError) {
    try listeners.watchWhileFrozen(context.loop) { [unowned self] listener in
      thawCause = listener
      supervisor.handle(.connection(quietFor: .zero))
    }
  }

  /// Watches the guest's idleness again, as before the attempt to freeze it.
  func postponeFreezing() { idleWatch?.postponeFreezing() }

  /// - Returns: `activity` when the listeners cannot be watched.
  func watchWhileFrozen(asked: Bool) -> Event? {
    do throws(SystemError) {
      try watchForClients()
      try idleWatch?.rest()
      // Stays set after a thaw, where the event has no effect.
      for console in instance?.consoles ?? [] { console.typing = { [unowned self] in supervisor.handle(.activity) } }
      freezeFailure.reset()
      history.counters[.freezes] += 1
      instance?.freezing?.prefer(Set(listeners.all.map(\.inode)))
      log(.frozen(asked: asked))
      if guest.policy.idleReclaim {
        instance?.freezing?.reclaimMemory { [unowned self] in log(.cannotReclaim(error: $0)) }
      }
      return nil
    } catch {
      log(.cannotFreeze(error: "\(error)"))
      return .activity
    }
  }

  func thaw(staged: Bool) {
    do throws(SystemError) {
      guard let frozen = try instance?.freezing?.thaw(staged: staged) else { return }
      // A thaw in another state is part of a stop, and not logged.
      if supervisor.state.rest == .serving { log(.thawed(socket: thawCause?.address, after: frozen)) }
    } catch {
      if !error.isForEndedCgroup { log(.cannotThaw(error: "\(error)")) }
    }
    thawCause = nil
  }

  /// Freezes the guest while its queues are drained.
  func quiesce() {
    do throws(SystemError) {
      try instance?.freezing?.quiesce()
    } catch {
      log(.cannotFreeze(error: "\(error)"))
    }
  }

  func resume() {
    do throws(SystemError) {
      try instance?.freezing?.resume()
    } catch {
      if !error.isForEndedCgroup { log(.cannotThaw(error: "\(error)")) }
    }
  }
}

extension SystemError {
  /// The process has ended, which its pidfd reports.
  var isForEndedProcess: Bool { errno == ESRCH }

  /// The cgroup is gone, and the instance's end is on its way.
  var isForEndedCgroup: Bool { errno == ENODEV }
}
