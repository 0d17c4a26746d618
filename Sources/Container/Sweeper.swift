import Launching
import Systemd

/// Removes what guests have written into their scratch directories, when the daemon has nothing else to do.
final class Sweeper {
  private let loop: EventLoop
  private var discarded: [DiscardedScratch]
  private var turn: EventSource?

  /// As many files take a millisecond or two.
  private static let filesAtATime = 64

  /// Goes on with what an earlier daemon has not finished.
  init(_ loop: EventLoop, runtime: String) {
    self.loop = loop
    discarded = DiscardedScratch.left(in: runtime)
    schedule()
  }

  func take(_ scratch: DiscardedScratch) {
    discarded.append(scratch)
    if turn == nil { schedule() }
  }

  /// Removes all that is left, at once: the daemon ends.
  func finish() {
    turn = nil
    for scratch in discarded { _ = scratch.remove() }
    discarded = []
  }

  private func schedule() {
    if discarded.isEmpty { return }
    do {
      turn = try loop.after(.zero, priority: .last) { [unowned self] in sweep() }
    } catch {
      // Without a timer there is no later.
      finish()
    }
  }

  private func sweep() {
    turn = nil
    if discarded.first?.remove(atMost: Self.filesAtATime) == true { discarded.removeFirst() }
    schedule()
  }
}
