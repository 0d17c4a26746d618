import Glibc
import Launching
import Linux
import Supervision
import Systemd

/// Makes a guest stand still and go on.
///
/// It goes on in turns. Who answers clients is first, a moment before the others: on a few processors all who go on at once are in each
/// other's way. After a long standstill PID 1 is last: a systemd kills a service whose sign of life is overdue (`WatchdogSec=`), and after
/// a long time in the ice all of them are, so that it depends on who runs first.
final class Freezer: Freezing {
  private let cgroup: GuestCgroup
  private let loop: EventLoop
  private var completion: EventSource?
  private var leader: HeldCgroup?
  private var others: [HeldCgroup] = []
  private var nextStage: EventSource?
  /// What did not go on when it was told to, all of it perhaps: nothing else would let it.
  private var overdue: [HeldCgroup] = []
  private var isAllOverdue = false
  private var retryTimer: EventSource?
  private var frozenAt: Duration?
  private var reclaimer: Reclaimer?
  /// Its memory cannot be moved out here.
  private var keepsMemory = false

  /// About as long as the answer to a client takes.
  private static let headStart = Duration.milliseconds(1)
  /// Shorter than any watchdog, whose services give a sign of life twice in its time: then PID 1 need not wait.
  private static let harmless = Duration.milliseconds(250)
  private static let patience = Duration.milliseconds(300)
  private static let pause = Duration.milliseconds(5)
  /// What the kernel did not do it is asked for again after this time.
  private static let again = Duration.milliseconds(100)
  /// As many times it is looked at once whether all stand still: the kernel's message comes 10 ms late, and most do at once.
  private static let looks = 20
  /// As many descriptors of the guest are looked at to find who answers.
  private static let descriptorLimit = 1 << 12

  init(_ cgroup: GuestCgroup, loop: EventLoop) {
    self.cgroup = cgroup
    self.loop = loop
  }

  deinit { stop() }

  func freeze(_ completed: @escaping () -> Void) throws(SystemError) -> Bool {
    letAllGo()
    isAllOverdue = false
    frozenAt = Clocks.monotonic
    try cgroup.setFrozen(true)
    for _ in 0..<Self.looks where try cgroup.isFrozen() { return true }
    completion = try loop.watch(cgroup.changes, for: .priority) { [unowned self] _ in
      guard (try? cgroup.isFrozen()) == true else { return }
      completion = nil
      completed()
    }
    return false
  }

  /// Freezes the guest for a moment, until `resume`; where it does not stand still at once that is not waited for.
  ///
  /// - Throws: `SystemError` of the cgroup.
  func quiesce() throws(SystemError) {
    try cgroup.setFrozen(true)
    for _ in 0..<Self.looks where try cgroup.isFrozen() { return }
  }

  /// - Throws: `SystemError` of the cgroup; it is tried again then, until the guest goes on.
  func resume() throws(SystemError) {
    do throws(SystemError) {
      try cgroup.setFrozen(false)
    } catch {
      thawLater(after: error)
      throw error
    }
  }

  /// Lets those of a guest that stands still be the first to go on who have one of these sockets, by their inodes, open.
  func prefer(_ sockets: Set<UInt64>) {
    others = cgroup.holdOthers(from: sockets, limit: Self.descriptorLimit)
    if !others.isEmpty { leader = cgroup.holdLeader() }
  }

  func thaw(staged: Bool) throws(SystemError) -> Duration {
    reclaimer = nil
    do throws(SystemError) {
      return try thawNow(staged: staged)
    } catch {
      letAllGo()
      thawLater(after: error)
      throw error
    }
  }

  private func thawLater(after error: SystemError) {
    isAllOverdue = error.errno != ENODEV
    if isAllOverdue { askAgain() }
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
    if !staged { letAllGo() }
    if isLeaderLast, leader == nil { leader = cgroup.holdLeader() }
    try cgroup.setFrozen(false)
    if others.isEmpty {
      goOn(leaderLast: isLeaderLast)
    } else {
      wait(Self.headStart) { [unowned self] in goOn(leaderLast: isLeaderLast) }
    }
    return frozen
  }

  /// Whoever answers has had a moment for it.
  private func goOn(leaderLast isLast: Bool) {
    letOthersGo()
    if isLast { awaitOthers(until: Clocks.monotonic + Self.patience) } else { letAllGo() }
  }

  /// The kernel has no event for it that all others wait for something again.
  private func awaitOthers(until deadline: Duration) {
    if leader == nil || Clocks.monotonic >= deadline || !cgroup.areOthersBusy { return letAllGo() }
    wait(Self.pause) { [unowned self] in awaitOthers(until: deadline) }
  }

  /// Without a timer there is no other turn.
  private func wait(_ pause: Duration, for turn: @escaping () -> Void) {
    do throws(SystemError) {
      nextStage = try loop.after(pause, handler: turn)
    } catch {
      letAllGo()
    }
  }

  private func letAllGo() {
    nextStage = nil
    letOthersGo()
    if let leader { letGo(leader) }
    leader = nil
  }

  private func letOthersGo() {
    for group in others { letGo(group) }
    others = []
  }

  private func letGo(_ group: HeldCgroup) {
    do throws(SystemError) {
      try group.release()
    } catch {
      overdue.append(group)
      askAgain()
    }
  }

  private func askAgain() {
    if retryTimer != nil { return }
    retryTimer = try? loop.after(Self.again) { [unowned self] in
      retryTimer = nil
      let groups = overdue
      overdue = []
      for group in groups { letGo(group) }
      if isAllOverdue { thawOverdue() }
    }
  }

  private func thawOverdue() {
    do throws(SystemError) {
      try cgroup.setFrozen(false)
      isAllOverdue = false
    } catch {
      if error.errno != ENODEV { askAgain() }
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

  /// Watches nothing any more: the guest is gone.
  func stop() {
    reclaimer = nil
    completion = nil
    nextStage = nil
    retryTimer = nil
  }
}
