import Glibc
import Launching
import Linux
import Listeners
import Systemd

// A guest that nobody uses stands still, and the daemon watches its listeners.
extension Supervisor {
  /// Longer than any process needs that does not wait for a disk or a network file system.
  static let freezePatience = Duration.seconds(2)

  /// Without it only guests without connections are frozen.
  func setAlarm() {
    let wanted = guest.policy.idleFreeze != nil && guest.policy.idleFreezeMode == .withConnections
    alarmSource = nil
    do throws(SystemError) {
      try listeners.setAlarm(wanted, context.sockDiag)
      if let alarm = listeners.alarm {
        alarmSource = try context.loop.watch(alarm.descriptor, for: .readable) { [unowned self] _ in
          disarmAlarm()
          take(.activity)
        }
      }
    } catch {
      say(.cannotMonitorData(error: "\(error)"))
    }
  }

  private func disarmAlarm() {
    do throws(SystemError) {
      try listeners.alarm?.disarm()
    } catch {
      // It would go off without end.
      alarmSource = nil
      say(.cannotMonitorData(error: "\(error)"))
    }
  }

  func freeze() {
    do throws(SystemError) {
      try run?.freezer?.freeze { [unowned self] in take(.frozen) }
    } catch {
      say(.cannotFreeze(error: "\(error)"))
      take(.freezeFailed)
    }
  }

  /// All of the guest stands still. What came while it was being frozen lets it go on at once.
  func watchWhileFrozen() {
    history.counters.freezes += 1
    do throws(SystemError) {
      // Before the look: what comes after it is told.
      try listeners.alarm?.arm()
      let isUnused =
        switch try idleWatch?.judge() {
        case .stop, .freeze: true
        case .rescan, nil: false
        }
      if isFreezeAsked || isUnused {
        try listeners.watchWhileFrozen(context.loop) { [unowned self] listener in
          thawCause = listener
          take(.connection)
        }
        try idleWatch?.rest()
        run?.freezer?.prefer(Set(listeners.all.map(\.inode)))
        say(.frozen(asked: !isUnused))
        reclaim()
      } else {
        take(.activity)
      }
    } catch {
      say(.cannotFreeze(error: "\(error)"))
      take(.activity)
    }
  }

  private func reclaim() {
    guard guest.policy.idleReclaim, let run else { return }
    reclaimer = Reclaimer(run.cgroup, loop: context.loop) { [unowned self, unowned run] error in
      if run.keepsMemory { return }
      run.keepsMemory = true
      say(.cannotReclaim(error: obstacle(error, run.cgroup)))
    }
    reclaimer?.start()
  }

  private func obstacle(_ error: SystemError, _ cgroup: GuestCgroup) -> String {
    if error.errno != ENOENT { return "\(error)" }
    return cgroup.hasMemoryController
      ? "this kernel has no memory.reclaim (Linux 5.19)" : "there is no memory controller here"
  }

  func thaw() {
    // One that is thawed to be parted with was not called for: what was found of its use still holds.
    let goesOn = if case .active = state { true } else { false }
    reclaimer = nil
    do throws(SystemError) {
      let frozen = try run?.freezer?.thaw(staged: maySurvive)
      if goesOn, let frozen { say(.thawed(socket: thawCause?.address, after: frozen)) }
    } catch {
      // ENODEV: it is gone, which will be told.
      if error.errno != ENODEV { say(.cannotThaw(error: "\(error)")) }
    }
    disarmAlarm()
    isFreezeAsked = false
    thawCause = nil
    if goesOn { idleWatch?.resume() }
  }

  /// Who is to go in any case goes on at once, for nothing of it is to last. One that is parted with may be kept.
  private var maySurvive: Bool {
    switch state {
    case .selfShutdown, .deactivating: false
    case .unbound, .binding, .inactive, .launching, .activating, .active, .freezing, .frozen, .parting, .failed: true
    }
  }
}
