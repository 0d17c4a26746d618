import ControlProtocol
import GuestSpec
import Lifecycle
import Linux
import Systemd

/// Looks whether somebody uses a guest's sockets, and says when nobody has for `IdleStopSec=`.
///
/// It looks when the kernel says that a connection ended, and when the policy asks for it; between two looks it costs nothing.
final class IdleWatch {
  private let guest: String
  private let surroundings: Surroundings
  private let look: SocketLook
  private let handlers: Handlers
  private var policy: IdlePolicy
  private var timer: EventSource?
  /// False when the kernel's messages cannot be had: then it is looked as often as for AF_UNIX.
  private var endsAreAnnounced = true
  /// When the guest will be stopped if nobody uses it until then.
  private(set) var stopAt: Timestamp?

  struct Handlers {
    var idle: () -> Void
    /// After each look, with what was found.
    var looked: (SocketLook.Found) -> Void
    var failed: (SystemError) -> Void
  }

  /// Without `idleStop` the guest is never stopped for idleness, but it is still seen when it ceases to serve.
  init(_ guest: String, idleStop: Duration?, look: SocketLook, surroundings: Surroundings, handlers: Handlers) {
    self.guest = guest
    self.look = look
    self.surroundings = surroundings
    self.handlers = handlers
    policy = IdlePolicy(idleStop: idleStop, readyAt: Clocks.monotonic)
  }

  deinit { timer?.cancel() }

  /// Takes a first look and goes on from there.
  func start() {
    do throws(SystemError) {
      try surroundings.endedConnections.tell(guest, of: look.tcpPorts) { [unowned self] in connectionEnded() }
    } catch {
      endsAreAnnounced = false
      handlers.failed(error)
    }
    lookNow()
  }

  func stop() {
    surroundings.endedConnections.forget(guest)
    timer?.cancel()
  }

  /// How long nobody has used the guest.
  var unused: Duration { Clocks.monotonic - policy.lastUse }

  private func connectionEnded() {
    policy.connectionEnded(at: Clocks.monotonic)
    lookNow()
  }

  private func lookNow() {
    do throws(SystemError) {
      var found = try look.take()
      if !endsAreAnnounced { found.usage.endIsAnnounced = false }
      // Judged first: what was found may end the guest, and this watch with it.
      switch policy.judge(found.usage, at: Clocks.monotonic) {
      case .stop: return handlers.idle()
      case .lookAgain(let after): try schedule(after, stops: !found.usage.inUse && policy.idleStop != nil)
      }
      handlers.looked(found)
    } catch {
      handlers.failed(error)
      // Not knowing is no reason to stop the guest, nor to stop looking.
      try? schedule(IdlePolicy.seldom, stops: false)
    }
  }

  private func schedule(_ delay: Duration, stops: Bool) throws(SystemError) {
    timer?.cancel()
    timer = try surroundings.loop.after(delay) { [unowned self] in lookNow() }
    stopAt = stops ? .now + delay : nil
  }
}
