import ControlProtocol
import Glibc
import GuestSpec
import Launching
import Lifecycle
import Linux
import Listeners
import Planning
import Systemd

// The guest's PID 1: how it is made, heard, told to halt, and missed.
extension Supervisor {
  func start() {
    let trigger = wakeCause
    wakeCause = Trigger()
    lastFailure = nil
    history.woken(by: trigger.cause, socket: trigger.socket)
    say(.waking(trigger.cause, socket: trigger.socket))
    defer { countMovedLate() }
    do throws(StartFailure) {
      let run = try GuestStarter(context: context).start(guest, listeners) { run throws(SystemError) in
        try watch(run)
        socketScan = SocketScan(
          context.sockDiag, context.endedConnections, listeners: listeners, idleStop: guest.policy.idleStop,
          tally: socketScan.tally)
        // Before it can serve anybody: a client may be gone by the time that it is known to run.
        watchEnds()
      }
      self.run = run
      socketScan.isAttended = { [unowned self] in self.run?.isAttended ?? false }
      // Who called for the guest is seen from now on; that it cannot be seen is no reason not to go on.
      _ = try? socketScan.take()
      history.counters.handedOver += listeners.handedOver
      let after = Clocks.monotonic - trigger.at
      history.lastWake?.startedMs = after.milliseconds
      say(.started(pid: run.process.pid, after: after))
      if !run.hasDevicePolicy { say(.noDevicePolicy) }
      logUnmet(run.unmetLimits)
      for note in run.notes { say(.notCarriedOut("\(note)")) }
      if let reason = run.withoutUsersBecause { say(.usersOfHost(because: reason)) }
      if let other = run.machineID?.other { say(.sameMachineID(as: other)) }
      forwardPorts()
      context.machines.register(
        Machines.Machine(
          name: name, id: run.machineID.flatMap { MachineID($0.id) }, leader: run.process.pid,
          root: guest.policy.directory ?? "/var/lib/machines/\(name)", interfaces: run.network?.hostIndexes ?? [])
      ) { [unowned self] in say(.notListed(error: $0)) }
      take(.started)
      if !guest.exec.waitsForReady { take(.ready) }
    } catch {
      listeners.emergencyDescriptors = nil
      context.endedConnections.forget(name)
      lastFailure = "cannot start: \(error)"
      history.notReady(because: "\(error)")
      take(.startFailed)
    }
  }

  private func countMovedLate() {
    history.counters.parked += listeners.unparkedLate.count
    history.lost(listeners.unparkedLate.lost, .notUnparked)
    listeners.unparkedLate = Listener.Unparked()
  }

  /// Once for each controller.
  private func logUnmet(_ limits: [CgroupLimit]) {
    for (controller, limits) in Dictionary(grouping: limits, by: \.controller).sorted(by: { $0.key < $1.key }) {
      let settings = limits.map { "\($0.setting)=" }.joined(separator: ", ")
      say(.unmet(settings: settings, controller: controller, context.cgroupBase.obstacle))
    }
  }

  func watch(_ run: Run) throws(SystemError) {
    try run.watch(
      context.loop,
      Run.Handlers(
        said: { [unowned self] in hear($0) },
        outOfMemory: { [unowned self] kills in
          history.counters.memoryKills += kills
          say(.outOfMemory(kills: kills))
        },
        ended: { [unowned self] in ended($0) },
        failed: { [unowned self] in say(.cannotEnd(error: "\($0)")) }))
  }

  private func hear(_ message: NotifyMessage) {
    let known = history.report?.errno
    history.take(message)
    if let level = message.signalsLevel, level >= 2 {
      let after = sinceTrigger.milliseconds
      history.lastWake?.handlersMs = after
    }
    // Once: a guest that says it without end must not fill the log.
    if let errno = message.errno, known == nil { say(.guestReported(error: errno)) }
    if message.isReady { take(.ready) }
    switch message.intent(active: history.report?.units ?? []) {
    case .leave(let confirmed):
      let wasKnown = isLeavingByItself
      take(.selfShutdown(confirmed: confirmed))
      if !wasKnown && isLeavingByItself { say(.selfShutdown) }
    case .stay: take(.shutdownAborted)
    case nil: break
    }
  }

  private var isLeavingByItself: Bool { if case .selfShutdown = state { true } else { false } }

  /// How long ago it was that the guest was called for.
  var sinceTrigger: Duration {
    guard let run else { return .zero }
    return .milliseconds(history.lastWake?.startedMs ?? 0) + (Clocks.monotonic - run.since)
  }

  func requestHalt() {
    guard let run else { return }
    history.haltRequested(because: stopCause)
    let signal = guest.exec.effectiveKillSignal
    do throws(SystemError) {
      try run.process.signal(signal)
      say(.haltRequested(signal: signal.description, stopCause))
    } catch {
      // ESRCH: it ended by itself meanwhile, and its end is on its way.
      if error.errno != ESRCH { endAgain(error) { [unowned self] in requestHalt() } }
    }
  }

  func kill() {
    // Before it: who uses the guest now is cut off.
    let cutOff = (try? socketScan.take().connections.count { !$0.queued }) ?? 0
    do throws(SystemError) {
      try run?.kill()
      history.lost(cutOff, .killed)
    } catch {
      endAgain(error) { [unowned self] in kill() }
    }
  }

  /// Nothing else would come of a signal that could not be sent.
  private func endAgain(_ failure: SystemError, _ again: @escaping () -> Void) {
    say(.cannotEnd(error: "\(failure)"))
    do throws(SystemError) {
      endLater = try context.loop.after(.seconds(1), accuracy: .milliseconds(100), handler: again)
    } catch {
      say(.cannotEnd(error: "\(error)"))
    }
  }

  private var isAskedToGo: Bool {
    switch state {
    case .parting(let parting): !parting.isCancellable
    case .deactivating: true
    case .unbound, .binding, .inactive, .launching, .activating, .active, .freezing, .frozen, .selfShutdown, .failed:
      false
    }
  }

  private var isUnready: Bool {
    switch state {
    case .launching, .activating: true
    case .selfShutdown(let shutdown): !shutdown.hasServed
    case .unbound, .binding, .inactive, .active, .freezing, .frozen, .parting, .deactivating, .failed: false
    }
  }

  /// PID 1 and everything else in its cgroup are gone.
  private func ended(_ status: ExitStatus) {
    let exit = Exit(status)
    let unasked = isAskedToGo ? nil : StopCause(exit)
    if isUnready {
      lastFailure = "ended before it was ready: \(status)"
      history.notReady(because: "it ended: \(status)")
    } else if unasked == .crash {
      lastFailure = "ended unasked: \(status)"
    }
    history.ended(status, unasked: unasked, console: run?.consoleText ?? "")
    if unasked == .reboot { wakeCause = Trigger(cause: .reboot) }
    history.counters.notifyRefused += run?.refusedMessages ?? 0
    if let run { InstanceRecord(runtime: context.runtime).remove(run.name) }
    context.machines.unregister(name)
    // What ended is told before it is forgotten which sockets the guest had.
    context.endedConnections.drain()
    context.endedConnections.forget(name)
    for listener in listeners.all { listener.isAdopted = nil }
    reclaimer = nil
    endLater = nil
    restoreLater = nil
    isFreezeAsked = false
    thawCause = nil
    listeners.emergencyDescriptors = nil
    run = nil
    say(.gone(how: exit.words(status)))
    take(.exited(exit))
  }
}

extension Exit {
  /// What a guest did, as the kernel reports it: reboot(2) in a PID namespace kills its PID 1 by SIGINT for a halt and a
  /// power-off, and by SIGHUP for a restart (pid_namespaces(7)).
  fileprivate init(_ status: ExitStatus) {
    switch status {
    case .exited(0), .killed(signal: SIGINT): self = .poweredOff
    case .killed(signal: SIGHUP): self = .rebooted
    case .exited, .killed, .unknown: self = .crashed
    }
  }

  fileprivate func words(_ status: ExitStatus) -> String {
    switch (self, status) {
    case (.poweredOff, .killed): "halted"
    case (.rebooted, _): "asked for a reboot"
    case (.poweredOff, _), (.crashed, _): status.description
    }
  }
}

extension StopCause {
  /// Why a guest ended that nobody had told to.
  fileprivate init(_ exit: Exit) {
    switch exit {
    case .poweredOff: self = .shutdown
    case .rebooted: self = .reboot
    case .crashed: self = .crash
    }
  }
}
