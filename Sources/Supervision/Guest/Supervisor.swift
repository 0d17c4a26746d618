import ControlProtocol
import GuestFiles
import GuestSpec
import Lifecycle
import Linux
import Listeners
import Planning
import Systemd
import UnitSyntax

/// One guest for as long as its file is there: asks the table what to do about each event, and does it.
///
/// Used on the loop's thread only, like everything it owns.
final class Supervisor {
  private(set) var loaded: LoadedGuest
  /// Until `begin`: it is not known what an earlier daemon left of it.
  var awaitsStart = true
  /// What its changed files ask for: takes effect when nothing runs.
  var changed: LoadedGuest?
  let context: Context
  let listeners: GuestListeners
  var history = GuestHistory()
  var run: Run?
  var idleWatch: IdleWatch?
  /// Of this run, or of the last one.
  var socketScan: SocketScan
  var waiters = Waiters()
  /// When the table's state began, and when the pause of `failed` ends.
  private(set) var since = Timestamp.now
  private(set) var pauseEnds: Timestamp?
  /// Where the guest's enabled .socket units and its file differ.
  private(set) var disagreements: [Diagnostic] = []
  /// Why the next start or stop will have been.
  var wakeCause = Trigger()
  var stopCause = StopCause.request
  /// What went wrong since the last attempt to start it, in words, for those who wait and for the message about the pause.
  var lastFailure: String?
  /// The next freezing is somebody's wish, not `IdleFreezeSec=`.
  var isFreezeAsked = false
  /// What somebody incoming at.
  var thawCause: Listener?
  var alarmSource: EventSource?
  /// Until it is tried again to end the guest.
  var endLater: EventSource?
  /// Until it is tried again to lead clients back to a guest that goes on.
  var restoreLater: EventSource?
  /// Why new clients could not be kept apart, since they last could.
  var divertFailure: SystemError?
  /// Why it could not be told whether somebody uses the guest that is to go.
  var scanFailure: SystemError?
  var reclaimer: Reclaimer?
  private var lifecycle = Lifecycle()
  private var timers: [Timer: EventSource] = [:]
  private var queue = EventQueue()
  private var isTaking = false
  /// Called with the name after each event.
  var moved: (String) -> Void = { _ in }

  struct Trigger {
    var cause = WakeCause.request
    var socket: String?
    var at = Clocks.monotonic
  }

  init(_ loaded: LoadedGuest, context: Context) {
    self.loaded = loaded
    self.context = context
    listeners = GuestListeners(of: loaded.name, context.store)
    socketScan = SocketScan(context.sockDiag, context.endedConnections, listeners: listeners, idleStop: nil)
  }

  var guest: Guest { loaded.guest }
  var name: String { loaded.name }
  var state: State { lifecycle.state }

  /// Takes an event in and does what the table says, until nothing is left to do. Effects bring events of their own.
  func take(_ event: Event) {
    queue.add(event)
    if isTaking { return }
    isTaking = true
    defer { isTaking = false }
    while let next = queue.next() {
      let before = state.word
      queue.isPerforming = true
      for effect in lifecycle.handle(next) { perform(effect) }
      queue.isPerforming = false
      if state.word != before { since = .now }
      for (answer, reply) in waiters.settle(state, guest: name, why: lastFailure) { answer(reply) }
      moved(name)
    }
  }

  func say(_ message: Message) {
    context.log.write(message, guest: name)
    if let level = message.noted { history.note(level, message.text) }
  }

  /// The only interpreter of effects.
  private func perform(_ effect: Effect) {
    switch effect {
    case .bindListeners: bindListeners()
    case .watchListeners: watchListeners()
    case .unwatchListeners: listeners.stopWatching()
    case .unbindListeners: listeners.release(forNext: context.leavesSockets)
    case .start: start()
    case .requestHalt: requestHalt()
    case .kill: kill()
    case .freeze: freeze()
    case .thaw: thaw()
    case .watchWhileFrozen: watchWhileFrozen()
    case .handBack: listeners.handBack()
    case .divert: divert()
    case .restore: restore()
    case .rescan: rescan()
    case .drainQueues: drainQueues()
    case .quiesce: quiesce()
    case .resume: resume()
    case .watchIdleness: watchIdleness()
    case .unwatchIdleness: unwatchIdleness()
    case .arm(let timer): arm(timer)
    case .disarm(let timer): disarm(timer)
    }
  }
}

// Sockets.
extension Supervisor {
  private func bindListeners() {
    if let next = changed {
      loaded = next
      changed = nil
    }
    do throws(SystemError) {
      for listener in try listeners.hold(guest) { say(.repaired(socket: listener.address)) }
      setAlarm()
      take(.bound)
    } catch {
      lastFailure = "cannot hold its sockets: \(error)"
      take(.bindFailed)
    }
  }

  private func watchListeners() {
    do throws(SystemError) {
      let asleep = Clocks.monotonic
      try listeners.watch(context.loop) { [unowned self] listener in
        incoming(at: listener, asleepSince: asleep)
      }
      say(.asleep(sockets: listeners.all.map(\.address), passed: listeners.arePassed))
      compareWithUnits()
    } catch {
      // What cannot be watched now is opened and watched anew after the pause.
      lastFailure = "cannot watch its sockets: \(error)"
      listeners.stopWatching()
      take(.bindFailed)
    }
  }
}

extension Supervisor {
  private func incoming(at listener: Listener, asleepSince: Duration) {
    wakeCause = Trigger(cause: .connection, socket: listener.address)
    if case .inactive(let record) = state,
      Clocks.monotonic - asleepSince >= Backoff.quiet(afterFailures: record.failures)
    {
      take(.stable)
    }
    take(.connection)
  }
}

// What systemd in the guest will make of the sockets.
extension Supervisor {
  /// Looked up when the guest falls asleep, not when somebody waits for it; said when it is new.
  private func compareWithUnits() {
    let found = loaded.socketAgreement()?.disagreements ?? []
    for disagreement in found where !disagreements.contains(disagreement) {
      context.log.write(.problem(disagreement), guest: name)
    }
    disagreements = found
  }
}

// Deadlines.
extension Supervisor {
  private func arm(_ timer: Timer) {
    let (delay, event) = deadline(timer)
    guard let delay else { return }
    do throws(SystemError) {
      timers[timer] = try context.loop.after(delay) { [unowned self] in
        timers[timer] = nil
        expired(timer, after: delay)
        take(event)
      }
    } catch {
      // Without its deadline the state must not be waited out for ever: it is over at once.
      say(.noTimer(error: "\(error)"))
      take(event)
    }
  }

  private func deadline(_ timer: Timer) -> (Duration?, Event) {
    switch timer {
    case .start: return (guest.policy.timeoutStart, .startTimedOut)
    case .stop: return (guest.policy.timeoutStop, .stopTimedOut)
    case .look: return (Self.drainPause, .rescanDue)
    case .drain: return (Self.drainPatience, .drainTimedOut)
    case .freeze: return (Self.freezePatience, .freezeFailed)
    case .stable: return (Backoff.stableAfter, .stable)
    case .pause(let failures):
      let pause = Backoff.pause(afterFailures: failures)
      pauseEnds = .now + pause
      say(.paused(reason: lastFailure ?? "it ended too soon", pause: pause, failures: failures))
      return (pause, .pauseOver)
    }
  }

  private func expired(_ timer: Timer, after delay: Duration) {
    switch timer {
    case .start:
      stopCause = .startTimeout
      lastFailure = "not ready within TimeoutStartSec= (\(delay.inWords))"
      history.notReady(because: "not ready within TimeoutStartSec= (\(delay.inWords))")
    case .stop:
      // Not all that seem to leave do.
      if case .selfShutdown(let shutdown) = state, !shutdown.isConfirmed { break }
      history.killed()
      say(.killing(timeout: delay))
    case .freeze: say(.cannotFreeze(error: "some of its processes did not freeze in time"))
    case .look, .drain, .stable: break
    case .pause:
      pauseEnds = nil
      wakeCause = Trigger(cause: .connection)
    }
  }

  private func disarm(_ timer: Timer) {
    timers.removeValue(forKey: timer)?.cancel()
    if case .pause = timer { pauseEnds = nil }
  }
}
