import Launching
import Linux
import Systemd

/// Pushes the memory of a frozen guest out, a piece at a time: whoever incoming meanwhile is not kept waiting.
final class Reclaimer {
  private let cgroup: GuestCgroup
  private let loop: EventLoop
  private let failed: (SystemError) -> Void
  private var reclaim: MemoryReclaim?
  private var next: EventSource?

  /// In bytes. The daemon does nothing else meanwhile: a millisecond's work, or a few where it has to be compressed or written.
  private static let piece = 1 << 20
  private static let pause = Duration.milliseconds(1)
  /// When the kernel had no room for it.
  private static let again = Duration.seconds(1)

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
      do throws(SystemError) {
        if try push() { try goOn(after: Self.pause) }
      } catch {
        if !error.isForWantOfRoom { throw error }
        try goOn(after: Self.again)
      }
    } catch {
      failed(error)
    }
  }

  /// - Returns: whether there may be more.
  private func push() throws(SystemError) -> Bool {
    if let reclaim { return try reclaim.push(bytes: Self.piece) }
    reclaim = try MemoryReclaim(of: cgroup)
    return true
  }

  private func goOn(after pause: Duration) throws(SystemError) {
    next = try loop.after(pause, priority: .last) { [unowned self] in step() }
  }
}
