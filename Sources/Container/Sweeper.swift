import Launching
import Systemd

/// Removes the scratch directories of guests that have ended, one after the other, in a helper process, because a guest may have made any
/// number of files in its own. The next daemon removes what this one leaves.
final class Sweeper {
  private let loop: EventLoop
  private var discarded: [DiscardedScratch]
  /// Those whose removal failed, as for want of memory. They are tried again with the next one that is added: a timer would wake an idle
  /// host.
  private var failed: [DiscardedScratch] = []
  private var helper: HelperProcess?

  /// How long the daemon waits for the removal when it ends.
  private static let patience = Duration.seconds(10)

  /// Also removes what an earlier daemon has discarded and did not get to.
  init(_ loop: EventLoop, runtime: String) {
    self.loop = loop
    discarded = DiscardedScratch.left(in: runtime)
    removeNext()
  }

  func add(_ scratch: DiscardedScratch) {
    discarded += [scratch] + failed
    failed = []
    if helper == nil { removeNext() }
  }

  /// Removes what is left before the daemon ends, within `patience`.
  func finish() {
    helper = nil
    discarded += failed
    failed = []
    let paths = discarded.compactMap(\.path)
    if !paths.isEmpty, HelperProcess.finish(.own(.removeTree, paths), within: Self.patience) {
      for scratch in discarded { scratch.forget() }
    }
    discarded = []
  }

  private func removeNext() {
    helper = nil
    guard let next = discarded.first else { return }
    guard let path = next.path else {
      next.forget()
      discarded.removeFirst()
      return removeNext()
    }
    helper = try? HelperProcess(.own(.removeTree, [path]), deadline: nil, on: loop) { [unowned self] result in
      if result.succeeded { next.forget() } else { failed.append(next) }
      discarded.removeFirst()
      removeNext()
    }
  }
}
