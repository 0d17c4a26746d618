import Launching
import Systemd

/// Removes the scratch directories of guests that have ended, while the daemon has nothing else to do.
final class Sweeper {
  private let loop: EventLoop
  private var discarded: [DiscardedScratch]
  private var nextStep: EventSource?

  /// Removing this many files takes a millisecond or two.
  private static let filesAtATime = 64

  /// Also removes what an earlier daemon has discarded and did not get to.
  init(_ loop: EventLoop, runtime: String) {
    self.loop = loop
    discarded = DiscardedScratch.left(in: runtime)
    schedule()
  }

  func add(_ scratch: DiscardedScratch) {
    discarded.append(scratch)
    if nextStep == nil { schedule() }
  }

  /// Removes everything at once, because the daemon ends.
  func finish() {
    nextStep = nil
    for scratch in discarded { _ = scratch.remove() }
    discarded = []
  }

  private func schedule() {
    if discarded.isEmpty { return }
    do {
      nextStep = try loop.after(.zero, priority: .last) { [unowned self] in sweep() }
    } catch {
      // Without a timer there is no later.
      finish()
    }
  }

  private func sweep() {
    nextStep = nil
    if discarded.first?.remove(atMost: Self.filesAtATime) == true { discarded.removeFirst() }
    schedule()
  }
}
