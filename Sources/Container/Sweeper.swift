import Launching
import Systemd

/// Removes the scratch directories of guests that have ended, one after the other, in a helper process: a guest may have filled its own with
/// any number of files. The next daemon goes on with what is left.
final class Sweeper {
  private let loop: EventLoop
  private var discarded: [DiscardedScratch]
  private var helper: HelperProcess?

  /// How long the daemon's end waits for what is left.
  private static let patience = Duration.seconds(10)

  /// Also removes what an earlier daemon has discarded and did not get to.
  init(_ loop: EventLoop, runtime: String) {
    self.loop = loop
    discarded = DiscardedScratch.left(in: runtime)
    removeNext()
  }

  func add(_ scratch: DiscardedScratch) {
    discarded.append(scratch)
    if helper == nil { removeNext() }
  }

  /// Removes what is left, because the daemon ends, as far as that takes no longer than a moment.
  func finish() {
    helper = nil
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
      if result.succeeded { next.forget() }
      discarded.removeFirst()
      removeNext()
    }
  }
}
