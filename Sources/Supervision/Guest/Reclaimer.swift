import Glibc
import Launching
import Linux
import Systemd

/// Pushes the memory of a frozen guest out, a piece at a time: whoever knocks meanwhile is not kept waiting.
final class Reclaimer {
  private let cgroup: GuestCgroup
  private let loop: EventLoop
  private let failed: (SystemError) -> Void
  private var next: EventSource?

  /// In bytes: some milliseconds of work.
  private static let piece = 8 << 20

  /// Calls `failed` when nothing can be pushed out here.
  init(_ cgroup: GuestCgroup, loop: EventLoop, failed: @escaping (SystemError) -> Void) {
    self.cgroup = cgroup
    self.loop = loop
    self.failed = failed
  }

  deinit { next?.cancel() }

  func start() { step() }

  private func step() {
    next = nil
    do throws(SystemError) {
      guard try cgroup.reclaim(bytes: Self.piece) else { return }
      next = try loop.after(.milliseconds(1), priority: .last) { [unowned self] in step() }
    } catch {
      failed(error)
    }
  }
}
