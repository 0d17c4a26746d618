import ControlProtocol
import GuestSpec
import Lifecycle
import Linux
import Listeners

// What users ask for, through the manager.
extension Supervisor {
  /// Starts the guest; answers when it is ready.
  func wake(_ answer: @escaping Waiters.Answer) {
    wake(because: Trigger(cause: .request, at: context.timers.now), answer)
  }

  private func wake(because trigger: Trigger, _ answer: @escaping Waiters.Answer) {
    waiters.awaitReady(answer)
    setTrigger(trigger)
    handle(.wakeRequested)
  }

  /// Stops the guest; answers when it has stopped. A guest in use is not stopped unless `now`.
  func sleep(now: Bool, _ answer: @escaping Waiters.Answer) {
    waiters.awaitGone(answer)
    handle(.sleepRequested(now: now, inUse: findUse(unless: now)))
  }

  /// Freezes the guest; answers when it is frozen. A guest in use is not frozen unless `now`.
  func freeze(now: Bool, _ answer: @escaping Waiters.Answer) {
    waiters.awaitFrozen(answer)
    handle(.freezeRequested(now: now, inUse: findUse(unless: now)))
  }

  /// Thaws a frozen guest.
  func thaw() { handle(.thawRequested) }

  /// Stops the guest for good, cleanly if it runs.
  func release(because cause: HaltCause) { handle(.release(cause)) }

  /// Kills the guest if it was told to stop and still runs.
  func killIfStopping() { handle(.killRequested) }

  /// Whether the guest is in use, and by what, for the reply to a request that is refused because of it. If the scan fails it is not.
  private func findUse(unless now: Bool) -> Bool {
    waiters.use = now || !state.mayRun ? nil : (try? live?.use()) ?? nil
    return waiters.use != nil
  }
}

// The guest's terminals.
extension Supervisor {
  /// The reply to a client that wants to be attached to a terminal (nil: the console).
  func admit(to terminal: Int?, _ size: WindowSize?) -> Reply {
    do throws(ManagerError) {
      let console = try console(terminal)
      if !console.hasRoom { throw refusal("\(Console.clientLimit) clients are attached to it already") }
      if let size { try? console.resize(to: size) }
      return .attached
    } catch {
      return .failure(error)
    }
  }

  /// Attaches the connection of a client that was admitted. It is closed if the guest has ended meanwhile.
  func attach(_ socket: consuming OwnedFD, to terminal: Int?) {
    guard let console = try? console(terminal) else { return }
    try? console.attach(socket)
  }

  func resize(_ terminal: Int?, to size: WindowSize) -> Reply {
    do throws(ManagerError) {
      let console = try console(terminal)
      // It fails only when the terminal is gone, and then the client's connection ends.
      try? console.resize(to: size)
      return .done
    } catch {
      return .failure(error)
    }
  }

  private func console(_ terminal: Int?) throws(ManagerError) -> Console {
    if state.isFrozenOrFreezing { throw refusal("it is frozen; `dormouse thaw \(name)` thaws it") }
    if !state.isRunning { throw refusal("it is not running; `dormouse wake \(name)` starts it") }
    guard let consoles = live?.instance?.consoles, let first = consoles.first else {
      throw refusal("its console was lost when the previous daemon exited")
    }
    guard let terminal else { return first }
    guard terminal > 0, terminal < consoles.count else {
      let there = consoles.count == 1 ? "none" : consoles.count == 2 ? "1" : "1 to \(consoles.count - 1)"
      throw refusal("it has no terminal \(terminal); besides the console it has \(there) (Terminals=)")
    }
    return consoles[terminal]
  }

  private func refusal(_ reason: String) -> ManagerError { .consoleFailed(name: name, reason: reason) }
}

// What happens when the daemon starts and ends.
extension Supervisor {
  /// Starts to manage the guest; `orphan` is the instance that an earlier daemon left running.
  func begin(orphan: (any Instance)?) {
    // The orphan has the sockets of the killed daemon, with the clients in their queues.
    orphan?.forEachSocket { listeners.takeOver($0, guest) }
    // At once: where a killed daemon left the standby socket at the path, a connection does not wake the guest.
    if let failure = listeners.recoverPaths(context.sockDiag) { log(.cannotUnpark(error: "\(failure)")) }
    guard let orphan else { return handle(.bind) }
    do throws(SystemError) {
      try adopt(orphan)
      handle(.adopt)
    } catch {
      log(.remark(.cannotEnd(error: "\(error)")))
      try? orphan.kill()
      handle(.bind)
    }
  }

  /// Starts the guest for which the service manager has started this daemon: for a connection, which is in a queue then, or on request.
  func wakeAtOnce() {
    let awaited = listeners.awaited?.address
    let cause = awaited == nil ? WakeCause.request : .connection
    wake(because: Trigger(cause: cause, socket: awaited, at: context.timers.now)) { _ in }
  }

  /// Whether the guest was awake, is asleep, and no client waits, so that the service manager may watch the sockets again. While clients of a
  /// guest wait whose starts fail, or it has failed too often, the daemon must keep running: it remembers how long the pauses have to be.
  var isAsleepForNow: Bool {
    state.isAsleep && state.word == .inactive && history.wakes > 0 && listeners.awaited == nil
  }

  /// Logs which of its sockets the service manager did not pass although it passed others.
  func logNotPassed() {
    let passed = Set(listeners.all.map(\.listen))
    for listen in guest.sockets.flatMap(\.listen) where !passed.contains(listen) {
      log(.notPassed(socket: listen.address.description))
    }
  }
}
