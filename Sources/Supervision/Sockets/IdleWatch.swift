import ControlProtocol
import GuestSpec
import Lifecycle
import Linux
import Systemd

/// Looks whether somebody uses a guest's sockets, and says when nobody has for `IdleFreezeSec=` and for `IdleStopSec=`.
///
/// It looks when the policy asks for it. In between, each end of a connection is a use, which costs no look.
final class IdleWatch {
  private let surroundings: Surroundings
  private let look: SocketLook
  private let handlers: Handlers
  private var policy: IdlePolicy
  private var timer: EventSource?
  /// When it is looked again.
  private var nextLook = Duration.zero
  /// The guest is frozen, or about to be: nothing can change that the listeners do not tell.
  private var isResting = false
  /// Since when clients wait whom only the next guest can serve.
  private var strandedSince: Duration?
  /// When the frozen guest will be stopped.
  private var restEndsAt: Timestamp?

  struct Handlers {
    var idle: () -> Void
    var freezeDue: () -> Void
    /// A frozen guest has to go on: its connections end, or have been left without an answer for long enough.
    var stirred: () -> Void
    /// Clients wait for the next guest, and this one is not used, or without pause.
    var parkedTooLong: () -> Void
    /// After each look, with what was found.
    var looked: (SocketLook.Found) -> Void
    var failed: (SystemError) -> Void
  }

  /// Without `idleStop` the guest is never stopped for idleness, but it is still seen when it ceases to serve.
  init(_ guest: Guest, look: SocketLook, surroundings: Surroundings, handlers: Handlers) {
    self.look = look
    self.surroundings = surroundings
    self.handlers = handlers
    policy = IdlePolicy(
      idleStop: guest.policy.idleStop, idleFreeze: guest.policy.idleFreeze,
      freezesConnections: look.hearsData, readyAt: Clocks.monotonic)
  }

  deinit { timer?.cancel() }

  /// Takes a first look and goes on from there.
  func start() { lookNow() }

  func stop() { timer?.cancel() }

  /// How long nobody has used the guest.
  var unused: Duration { Clocks.monotonic - policy.lastUse }

  /// When the guest will be stopped if nobody uses it until then; nil while somebody does, as `usage` says.
  func stopAt(_ usage: IdlePolicy.Usage) -> Timestamp? {
    if isResting { return restEndsAt }
    guard !usage.inUse, let idleStop = policy.idleStop else { return nil }
    return .now + max(idleStop - unused, .zero)
  }

  func connectionEnded() {
    // Of a frozen guest it is one that it has to hear of, or the rest of one that was over before.
    if isResting { return endsWhileFrozen() }
    let now = Clocks.monotonic
    policy.connectionEnded(at: now)
    // Before that nothing is due: a busy guest is not looked at as often as its connections end.
    guard let soonest = policy.soonest, now + soonest < nextLook else { return }
    do throws(SystemError) {
      try schedule(soonest)
    } catch {
      lookNow()
    }
  }

  fileprivate func lookNow() {
    do throws(SystemError) {
      var found = try look.take()
      strandedSince = look.isSomebodyStranded ? strandedSince ?? Clocks.monotonic : nil
      if let strandedSince {
        // At once where nobody is open: datagrams may come without pause, and would keep it for ever.
        let isOverdue = Clocks.monotonic - strandedSince >= IdlePolicy.often
        if !found.usage.inUse || isOverdue { return handlers.parkedTooLong() }
        found.usage.lookAgainAfter = min(found.usage.lookAgainAfter ?? IdlePolicy.often, IdlePolicy.often)
      }
      // Judged first: what was found may end the guest, and this watch with it.
      switch policy.judge(found.usage, at: Clocks.monotonic) {
      case .stop: return handlers.idle()
      case .freeze: return handlers.freezeDue()
      case .lookAgain(let after): try schedule(after)
      }
      handlers.looked(found)
    } catch {
      handlers.failed(error)
      // Not knowing is no reason to stop the guest, nor to stop looking.
      try? schedule(IdlePolicy.seldom)
    }
  }

  /// Looks and judges, and does nothing about it: of a guest that was found unused somebody may have made use since.
  ///
  /// - Throws: `SystemError` when the kernel does not tell.
  func judge() throws(SystemError) -> IdlePolicy.Decision {
    let usage = try look.take().usage
    return policy.judge(usage, at: Clocks.monotonic)
  }

  private func schedule(_ delay: Duration) throws(SystemError) {
    timer?.cancel()
    timer = try surroundings.loop.after(delay) { [unowned self] in lookNow() }
    nextLook = Clocks.monotonic + delay
  }
}

// A frozen guest: nothing is looked at, and only IdleStopSec= counts on.
extension IdleWatch {
  /// Lets the guest stand still until IdleStopSec= is over. With connections it has to be asked again before a client may take it for
  /// dead: then it is for no longer than that at a time.
  ///
  /// - Throws: `SystemError` when there can be no timer.
  func rest() throws(SystemError) {
    isResting = true
    timer?.cancel()
    restEndsAt = nil
    let isUsed = try !look.take().connections.isEmpty
    if isUsed {
      let limit = policy.idleStop ?? Self.longestWithConnections
      timer = try surroundings.loop.after(limit) { [unowned self] in handlers.stirred() }
    } else if let idleStop = policy.idleStop {
      let left = max(idleStop - unused, .zero)
      timer = try surroundings.loop.after(left) { [unowned self] in
        // It goes on for a moment at least, and may be used.
        isResting = false
        handlers.idle()
      }
      restEndsAt = .now + left
    }
  }

  private static let longestWithConnections = Duration.seconds(600)

  /// The guest goes on, and somebody uses it.
  func resume() {
    isResting = false
    policy.thawed(at: Clocks.monotonic)
    do throws(SystemError) {
      // Not at once: a look takes the kernel longer than the guest takes to answer, and it may be this processor that it waits for.
      try schedule(.milliseconds(20))
    } catch {
      lookNow()
    }
  }

  private func endsWhileFrozen() {
    if policy.freezesConnections { handlers.stirred() }
  }
}
