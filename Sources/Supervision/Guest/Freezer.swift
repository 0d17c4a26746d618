import Launching
import Linux
import Systemd

/// Makes a guest stand still and go on.
///
/// A systemd in the guest kills a service whose sign of life is overdue (`WatchdogSec=`), and after a long time in the ice all of them
/// are: whether PID 1 or the service runs first decides. So PID 1 goes on last, when the others have done what had become due.
final class Freezer {
  private let cgroup: GuestCgroup
  private let loop: EventLoop
  private var completion: EventSource?
  private var leader: LeaderScope?
  private var leaderLast: EventSource?
  private var frozenAt: Duration?

  /// Shorter than any watchdog, whose services give a sign of life twice in its time: then PID 1 need not wait.
  private static let harmless = Duration.milliseconds(250)
  private static let patience = Duration.milliseconds(300)
  private static let pause = Duration.milliseconds(5)
  /// As many times it is looked at once whether all stand still: the kernel's message comes 10 ms late, and most do at once.
  private static let looks = 20

  init(_ cgroup: GuestCgroup, loop: EventLoop) {
    self.cgroup = cgroup
    self.loop = loop
  }

  deinit { stop() }

  /// Freezes the guest; calls `frozen` when all of it stands still, perhaps before this returns.
  ///
  /// - Throws: `SystemError` of the cgroup, or when epoll refuses; the guest is to be thawed then.
  func freeze(frozen: @escaping () -> Void) throws(SystemError) {
    releaseLeader()
    frozenAt = Clocks.monotonic
    try cgroup.setFrozen(true)
    for _ in 0..<Self.looks where try cgroup.isFrozen() { return frozen() }
    completion = try loop.watch(cgroup.changes, for: .priority) { [unowned self] _ in
      guard (try? cgroup.isFrozen()) == true else { return }
      completion = nil
      frozen()
    }
  }

  /// Lets the guest go on; PID 1 at once with the others, unless `leaderLast`.
  ///
  /// - Returns: for how long it stood still.
  /// - Throws: `SystemError` of the cgroup.
  func thaw(leaderLast isLast: Bool) throws(SystemError) -> Duration {
    completion = nil
    guard let frozenAt else {
      try cgroup.thawAll()
      return .zero
    }
    self.frozenAt = nil
    let frozen = Clocks.monotonic - frozenAt
    if isLast && frozen > Self.harmless { leader = cgroup.holdLeaderBack() } else { releaseLeader() }
    try cgroup.setFrozen(false)
    if leader != nil { awaitOthers(until: Clocks.monotonic + Self.patience) }
    return frozen
  }

  /// The kernel has no event for it that all others wait for something again.
  private func awaitOthers(until deadline: Duration) {
    if Clocks.monotonic >= deadline || leader?.areOthersBusy != true { return releaseLeader() }
    do throws(SystemError) {
      leaderLast = try loop.after(Self.pause) { [unowned self] in awaitOthers(until: deadline) }
    } catch {
      releaseLeader()
    }
  }

  private func releaseLeader() {
    leaderLast = nil
    // It fails only when the cgroup is gone, and PID 1 with it.
    try? leader?.letGo()
    leader = nil
  }

  /// Watches nothing any more: the guest is gone.
  func stop() {
    completion = nil
    leaderLast = nil
  }
}
