import Glibc
import Launching
import Linux
import Supervision
import Systemd

/// Freezes a guest (`cgroup.freeze`), and thaws it in stages.
///
/// The processes that answer clients are thawed first, a moment before the others: on a few processors, all that are thawed at once delay
/// each other. After a long time PID 1 is thawed last. A systemd kills a service that has not sent `WATCHDOG=1` for `WatchdogSec=`, and
/// every service that was frozen for longer has not; so the services have to send it before PID 1 runs.
final class Freezer: Freezing {
  private let cgroup: GuestCgroup
  private let loop: EventLoop
  private var completion: EventSource?
  /// PID 1 of a frozen guest, held back from the first stage of the thaw.
  private var leader: HeldCgroup?
  /// The other processes that do not serve, held as well.
  private var others: [HeldCgroup] = []
  private var nextStage: EventSource?
  /// Cgroups that could not be released: nothing else would thaw them.
  private var unreleased: [HeldCgroup] = []
  /// The guest as a whole could not be thawed.
  private var isThawOverdue = false
  private let retry: Retry
  private var frozenAt: Duration?
  private var reclaimer: Reclaimer?
  /// Memory cannot be reclaimed on this host.
  private var keepsMemory = false

  /// About as long as the answer to a client takes.
  private static let headStart = Duration.milliseconds(1)
  /// Shorter than any watchdog: services send their `WATCHDOG=1` twice in its time. After less than this PID 1 need not wait.
  private static let harmless = Duration.milliseconds(250)
  /// The longest time that PID 1 waits for the services.
  private static let patience = Duration.milliseconds(300)
  private static let pause = Duration.milliseconds(5)
  private static let retryPause = Duration.milliseconds(100)
  /// How often the cgroup's state is read at once. The kernel reports a completed freeze 10 ms late, and most complete at once.
  private static let polls = 20
  /// The most descriptors of the guest that are scanned for those that serve.
  private static let descriptorLimit = 1 << 12

  init(_ cgroup: GuestCgroup, loop: EventLoop) {
    self.cgroup = cgroup
    self.loop = loop
    retry = Retry(loop, after: Self.retryPause, accuracy: .milliseconds(1))
  }

  deinit { stop() }

  func freeze(_ completed: @escaping () -> Void) throws(SystemError) -> Bool {
    releaseAll()
    isThawOverdue = false
    frozenAt = Clocks.monotonic
    try cgroup.setFrozen(true)
    for _ in 0..<Self.polls where try cgroup.isFrozen() { return true }
    completion = try loop.watch(cgroup.changes, for: .priority) { [unowned self] _ in
      guard (try? cgroup.isFrozen()) == true else { return }
      completion = nil
      completed()
    }
    return false
  }

  func quiesce() throws(SystemError) {
    try cgroup.setFrozen(true)
    for _ in 0..<Self.polls where try cgroup.isFrozen() { return }
  }

  func resume() throws(SystemError) {
    do throws(SystemError) {
      try cgroup.setFrozen(false)
    } catch {
      thawLater(after: error)
      throw error
    }
  }

  func prefer(_ sockets: Set<UInt64>) {
    others = cgroup.holdOthers(from: sockets, limit: Self.descriptorLimit)
    if !others.isEmpty { leader = cgroup.holdLeader() }
  }

  func thaw(staged: Bool) throws(SystemError) -> Duration {
    reclaimer = nil
    do throws(SystemError) {
      return try thawNow(staged: staged)
    } catch {
      releaseAll()
      thawLater(after: error)
      throw error
    }
  }

  private func thawNow(staged: Bool) throws(SystemError) -> Duration {
    completion = nil
    guard let frozenAt else {
      try cgroup.thawAll()
      return .zero
    }
    self.frozenAt = nil
    let frozen = Clocks.monotonic - frozenAt
    let isLeaderLast = staged && frozen > Self.harmless
    if !staged { releaseAll() }
    if isLeaderLast, leader == nil { leader = cgroup.holdLeader() }
    try cgroup.setFrozen(false)
    if others.isEmpty {
      beginSecondStage(leaderLast: isLeaderLast)
    } else {
      schedule(after: Self.headStart) { [unowned self] in beginSecondStage(leaderLast: isLeaderLast) }
    }
    return frozen
  }

  /// The processes that serve had a moment for themselves; now the others are thawed.
  private func beginSecondStage(leaderLast isLast: Bool) {
    releaseOthers()
    if isLast { awaitOthers(until: Clocks.monotonic + Self.patience) } else { releaseAll() }
  }

  /// Releases PID 1 when no other process is busy any more. The kernel has no event for that.
  private func awaitOthers(until deadline: Duration) {
    if leader == nil || Clocks.monotonic >= deadline || !cgroup.areOthersBusy { return releaseAll() }
    schedule(after: Self.pause) { [unowned self] in awaitOthers(until: deadline) }
  }

  /// Without a timer there can be no later stage: everything is thawed at once.
  private func schedule(after pause: Duration, _ stage: @escaping () -> Void) {
    do throws(SystemError) {
      nextStage = try loop.after(pause, handler: stage)
    } catch {
      releaseAll()
    }
  }

  func reclaimMemory(failed: @escaping (String) -> Void) {
    if keepsMemory { return }
    reclaimer = Reclaimer(cgroup, loop: loop) { [unowned self] error in
      // It would fail again after each freezing.
      keepsMemory = true
      failed(obstacle(error))
    }
    reclaimer?.start()
  }

  private func obstacle(_ error: SystemError) -> String {
    if error.errno != ENOENT { return "\(error)" }
    return cgroup.hasMemoryController
      ? "this kernel has no memory.reclaim (Linux 5.19)" : "there is no memory controller here"
  }

  /// Watches nothing any more: the instance has ended.
  func stop() {
    reclaimer = nil
    completion = nil
    nextStage = nil
    retry.cancel()
  }
}

// What is held, and what could not be released.
extension Freezer {
  private func releaseAll() {
    nextStage = nil
    releaseOthers()
    if let leader { release(leader) }
    leader = nil
  }

  private func releaseOthers() {
    for group in others { release(group) }
    others = []
  }

  private func release(_ group: HeldCgroup) {
    do throws(SystemError) {
      try group.release()
    } catch {
      unreleased.append(group)
      scheduleRetry()
    }
  }

  private func thawLater(after error: SystemError) {
    // ENODEV: the cgroup is gone, and nothing is left to thaw.
    isThawOverdue = error.errno != ENODEV
    if isThawOverdue { scheduleRetry() }
  }

  private func scheduleRetry() {
    // Without memory for a timer the next request to thaw is the retry.
    try? retry.schedule { [unowned self] in
      let groups = unreleased
      unreleased = []
      for group in groups { release(group) }
      if isThawOverdue { thawOverdue() }
    }
  }

  private func thawOverdue() {
    do throws(SystemError) {
      try cgroup.setFrozen(false)
      isThawOverdue = false
    } catch {
      thawLater(after: error)
    }
  }
}
