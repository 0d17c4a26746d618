import ControlProtocol
import GuestSpec
import Lifecycle
import Linux
import Systemd

/// Scans a guest's sockets when the idle policy asks for it, and reports when something is due.
///
/// Between two scans each end of a connection counts as a use, which costs no scan.
package final class IdleWatch {
  /// What the watch reports.
  package enum Finding {
    /// Nobody has used the guest for `IdleStopSec=`.
    case idle
    /// Nobody has used the guest for `IdleFreezeSec=`.
    case freezeDue
    /// Clients have waited for the next instance for too long.
    case parkedTooLong
    /// A frozen guest has to run: something came on one of its connections, one ended, or they have not been answered for long enough.
    case activity
    /// A scan after which nothing is due.
    case scanned(SocketScan.Found)
    /// The kernel does not tell who uses the guest. The next scan follows all the same.
    case failed(SystemError)
  }

  private let timers: any Timers
  private let scan: SocketScan
  private let report: (Finding) -> Void
  private var policy: IdlePolicy
  private var timer: (any ArmedTimer)?
  /// When the next scan is due.
  private var nextScan = Duration.zero
  /// The guest is frozen, or about to be: nothing changes that the listeners do not report.
  private var isResting = false
  /// What the last judgement found; nil after the guest ran on.
  private var judged: SocketScan.Found?
  /// When the frozen guest will be stopped.
  private var restEndsAt: Timestamp?

  /// Begins with the guest's readiness. Without `IdleStopSec=` the guest is never stopped for idleness, and still scanned: it may have
  /// ceased to serve.
  package init(_ guest: Guest, _ scan: SocketScan, _ timers: any Timers, report: @escaping (Finding) -> Void) {
    self.scan = scan
    self.timers = timers
    self.report = report
    policy = IdlePolicy(
      idleStop: guest.policy.idleStop, idleFreeze: guest.policy.idleFreeze, freezesConnections: scan.monitorsData,
      readyAt: timers.now)
  }

  deinit { stop() }

  /// Makes the first scan and goes on from there.
  package func start() { scanNow() }

  package func stop() {
    timer?.cancel()
    timer = nil
  }

  /// How long nobody has used the guest.
  package var unused: Duration { timers.now - policy.lastUse }

  /// When the guest will be stopped if nobody uses it until then; nil while somebody does, as `usage` says.
  package func stopAt(_ usage: IdlePolicy.Usage) -> Timestamp? {
    if isResting { return restEndsAt }
    guard !usage.inUse, let idleStop = policy.idleStop else { return nil }
    return .now + max(idleStop - unused, .zero)
  }

  /// When the guest will be frozen if nobody uses it until then. Nil: `usage` forbids it, or it is frozen already.
  package func freezeAt(_ usage: IdlePolicy.Usage) -> Timestamp? {
    isResting ? nil : policy.freezeDue(usage, at: timers.now).map { .now + $0 }
  }

  /// A connection ended just now.
  package func connectionEnded() {
    // A frozen guest has to learn of it, unless it is the rest of a connection that had ended before.
    if isResting {
      if policy.freezesConnections { report(.activity) }
      return
    }
    policy.connectionEnded(at: timers.now)
    // Nothing is due before that: a busy guest is not scanned as often as its connections end.
    guard let soonest = policy.soonest, timers.now + soonest < nextScan else { return }
    do throws(SystemError) {
      try schedule(soonest)
    } catch {
      scanNow()
    }
  }

  private func scanNow() {
    do throws(SystemError) {
      let found = try scan.scan()
      // Judged first: what was found may end the guest, and this watch with it.
      switch policy.judge(found.usage, at: timers.now) {
      case .stop: return report(.idle)
      case .freeze: return report(.freezeDue)
      case .makeWay: return report(.parkedTooLong)
      case .rescan(let after): try schedule(after)
      }
      report(.scanned(found))
    } catch {
      // Not knowing is no reason to stop the guest, nor to stop scanning.
      try? schedule(IdlePolicy.seldom)
      report(.failed(error))
    }
  }

  /// Scans and judges, and does nothing about it: somebody may have used the guest since it was found unused.
  ///
  /// - Throws: `SystemError` when the kernel does not tell.
  package func judge() throws(SystemError) -> IdlePolicy.Decision {
    let found = try scan.scan()
    judged = found
    return policy.judgeUse(found.usage, at: timers.now)
  }

  private func schedule(_ delay: Duration) throws(SystemError) {
    timer = try timers.timer(after: delay) { [unowned self] in scanNow() }
    nextScan = timers.now + delay
  }
}

// A frozen guest without connections is not scanned; only IdleStopSec= still runs.
extension IdleWatch {
  /// Leaves the guest frozen until IdleStopSec= has passed. With connections that is too long: clients would take the
  /// guest for dead. So it runs for a moment from time to time, and as soon as a client sends something.
  ///
  /// - Throws: `SystemError` when there can be no timer.
  package func rest() throws(SystemError) {
    isResting = true
    stop()
    restEndsAt = nil
    // Nothing has happened since the judgement that led here.
    let found = if let judged { judged } else { try scan.scan() }
    judged = nil
    switch policy.frozenEnd(hasConnections: !found.connections.isEmpty, at: timers.now) {
    case .thaw(let delay):
      // The alarm watches them all only if the policy could have frozen the guest with them.
      let isReported = policy.freezesConnections && found.usage.silence != nil
      let frozen = FrozenConnections(found.unread, reported: isReported, until: timers.now + delay)
      try keepFrozen(frozen, found.unread)
    case .stop(let delay):
      timer = try timers.timer(after: delay) { [unowned self] in
        // The guest runs for a moment at least, and may be used then.
        isResting = false
        report(.idle)
      }
      restEndsAt = .now + delay
    case .never: break
    }
  }

  private func keepFrozen(_ frozen: FrozenConnections, _ unread: FrozenConnections.Unread) throws(SystemError) {
    switch frozen.judge(unread, at: timers.now) {
    case .thaw: report(.activity)
    case .rescan(let delay): timer = try timers.timer(after: delay) { [unowned self] in rescan(frozen) }
    }
  }

  private func rescan(_ frozen: FrozenConnections) {
    do throws(SystemError) {
      let unread = try scan.scan().unread
      // The scan may have reported the end of a connection, for which the guest was thawed.
      if isResting { try keepFrozen(frozen, unread) }
    } catch {
      // A client may have sent something.
      report(.failed(error))
      report(.activity)
    }
  }

  /// The guest runs on, and somebody uses it.
  package func resume() {
    policy.thawed(at: timers.now)
    scanSoon()
  }

  /// Goes on watching, because the guest could not be frozen. This does not count as use of the guest.
  package func postponeFreezing() {
    policy.freezeFailed(at: timers.now)
    scanSoon()
  }

  private func scanSoon() {
    isResting = false
    judged = nil
    do throws(SystemError) {
      // Not at once: a scan takes longer than the guest's answer, and the guest may be waiting for this very processor.
      try schedule(.milliseconds(20))
    } catch {
      scanNow()
    }
  }
}
