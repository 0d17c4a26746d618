import Launching
import Linux
import Systemd

/// Reclaims the memory of a frozen guest (`memory.reclaim`) in small pieces, so that no client waits for the daemon meanwhile.
final class Reclaimer {
  private let cgroup: GuestCgroup
  private let loop: EventLoop
  private let failed: (SystemError) -> Void
  private var reclaim: MemoryReclaim?
  private var next: EventSource?
  /// For the kernel's own want of memory or descriptors.
  private let retry: Retry

  /// In bytes. The daemon does nothing else while the kernel works on one: a millisecond, or a few when it compresses or writes.
  private static let piece = 1 << 20
  private static let pause = Duration.milliseconds(1)

  /// Calls `failed` when nothing can be reclaimed on this host.
  init(_ cgroup: GuestCgroup, loop: EventLoop, failed: @escaping (SystemError) -> Void) {
    self.cgroup = cgroup
    self.loop = loop
    self.failed = failed
    retry = Retry(loop)
  }

  deinit { next?.cancel() }

  func start() { step() }

  private func step() {
    next = nil
    do throws(SystemError) {
      do throws(SystemError) {
        if try reclaimPiece() { next = try loop.after(Self.pause, priority: .last) { [unowned self] in step() } }
      } catch {
        if !error.isForWantOfRoom { throw error }
        try retry.schedule { [unowned self] in step() }
      }
    } catch {
      failed(error)
    }
  }

  /// - Returns: whether there may be more.
  private func reclaimPiece() throws(SystemError) -> Bool {
    if let reclaim { return try reclaim.push(bytes: Self.piece) }
    reclaim = try MemoryReclaim(of: cgroup)
    return true
  }
}
