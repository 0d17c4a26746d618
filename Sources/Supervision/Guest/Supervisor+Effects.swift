import ControlProtocol
import Lifecycle
import Linux
import Listeners

extension Supervisor {
  /// Does what the table asks for: the only interpreter of effects.
  ///
  /// - Returns: the effect's answer, when it has one and it is known at once.
  func perform(_ effect: Effect) -> Event? {
    switch effect {
    case .bindListeners: return bindListeners()
    case .watchListeners: return watchListeners()
    case .unwatchListeners: unwatchListeners()
    // Datagrams stay in the queue: their senders do not wait for a connection, and the next instance can still read them.
    case .refuseClients: refusal.begin(at: listeners.all.filter { $0.listen.kind != .datagram })
    case .requestPlace: return requestPlace()
    case .unbindListeners: listeners.release(forNext: context.leavesSockets)
    case .start: return start()
    case .abandonPreparation: abandonPreparation()
    case .divert(let which): return divert(which)
    case .restore: live?.restore()
    case .unpark: unpark()
    case .scan(let question): return live?.scan(for: question) ?? .scanFailed
    case .drainQueues: live?.drainQueues()
    case .quiesce: live?.quiesce()
    case .resume: live?.resume()
    case .requestHalt(let cause): return live?.requestHalt(StopCause(cause))
    case .kill(let cause): kill(cause)
    case .freeze: return freeze()
    case .thaw(let staged): live?.thaw(staged: staged)
    case .armAlarm: return armAlarm()
    case .disarmAlarm: disarmAlarm()
    case .watchWhileFreezing: live?.watchWhileFreezing()
    case .watchWhileFrozen(let asked): return watchWhileFrozen(asked: asked)
    case .handBack: listeners.handBack()
    case .watchIdleness: live?.watchIdleness()
    case .resumeIdleness: live?.resumeIdleness()
    case .postponeFreezing: live?.postponeFreezing()
    case .unwatchIdleness: unwatchIdleness()
    case .arm(let timer): return arm(timer)
    case .disarm(let timer): disarm(timer)
    case .refuse(let refusal): answer(waiters.refuse(refusal, guest: name, state))
    }
    return nil
  }

  private func requestPlace() -> Event? {
    context.places.request(for: name) { [unowned self] in handle(.placeGranted) } ? .placeGranted : nil
  }

  /// Makes a `ClientRefusal` that counts the refused clients, and counts them as lost for `reason`.
  func makeRefusal(counting reason: LossReason) -> ClientRefusal {
    ClientRefusal(
      context.loop,
      refused: { [unowned self] count in
        history.counters[.connectionsRefused] += count
        history.lost(count, reason)
      }, failed: { [unowned self] in log(.cannotScan(error: "\($0)")) })
  }

  private func unwatchListeners() {
    refusal.end()
    listeners.stopWatching()
  }

  /// - Returns: nil when the answer comes later.
  private func divert(_ which: Divertible) -> Event? {
    guard let live else { return .divertFailed }
    return live.divert(which)
  }

  private func freeze() -> Event? {
    guard let live else { return .freezeFailed }
    return live.freeze()
  }

  private func watchWhileFrozen(asked: Bool) -> Event? {
    guard let live else { return .activity }
    return live.watchWhileFrozen(asked: asked)
  }

  private func kill(_ cause: KillCause) {
    switch cause {
    case .stopTimeout: log(.killing(setting: "TimeoutStopSec=", after: guest.policy.timeoutStop))
    case .startTimeout: log(.killing(setting: "TimeoutStartSec=", after: guest.policy.timeoutStart))
    // The code that decided this has logged it.
    case .unheard, .request: break
    }
    live?.kill()
  }

  /// - Returns: when data on connections would not be noticed, the answer to the scan that follows: the guest is not frozen then.
  private func armAlarm() -> Event? {
    do throws(SystemError) {
      try listeners.armAlarm()
      return nil
    } catch {
      log(.cannotFreeze(error: "\(error)"))
      return .scanFailed
    }
  }

  private func disarmAlarm() {
    do throws(SystemError) { try listeners.disarmAlarm() } catch { log(.cannotMonitorData(error: "\(error)")) }
  }

  private func unwatchIdleness() {
    live?.unwatchIdleness()
    // Listeners that the guest did not take are still watched in order to refuse their clients.
    listeners.stopWatching()
  }
}

// What delays a start.
extension Supervisor {
  /// The preparation that delayed the start is complete, or has failed.
  func prepared(_ failure: StartFailure?) {
    if let failure {
      notStarted(failure)
      return handle(.startFailed)
    }
    if var trigger = live?.trigger {
      trigger.isPrepared = true
      setTrigger(trigger)
    }
    endInstance()
    handle(.prepared)
  }

  /// Ends the preparation that delays the start, because the guest is not to be started any more, or by changed files.
  func abandonPreparation() {
    if let live { setTrigger(live.trigger) }
    endInstance()
  }
}

extension StopCause {
  /// Why Dormouse stops a guest, in the interface's terms.
  init(_ cause: HaltCause) {
    switch cause {
    case .idle: self = .idle
    case .request: self = .request
    case .startTimeout: self = .startTimeout
    case .listenerClosed: self = .listenerClosed
    case .parkedTooLong: self = .parkedTooLong
    case .daemon: self = .daemon
    case .configuration: self = .configuration
    }
  }

  /// Why a guest ended that Dormouse had not stopped.
  init(_ exit: Exit) {
    switch exit {
    case .poweredOff: self = .shutdown
    case .rebooted: self = .reboot
    case .crashed: self = .crash
    }
  }
}
