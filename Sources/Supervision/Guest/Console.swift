import Linux
import Systemd

/// A guest's console: always drained, or a guest that prints would stand still; the end of what it printed is kept in memory, and
/// nothing of it reaches a disk.
final class Console {
  private(set) var text = ConsoleText()
  private let master: OwnedFD
  private var peer: OwnedFD?
  private var source: EventSource?

  init(master: consuming OwnedFD) { self.master = master }

  deinit { stopWatching() }

  func stopWatching() {
    source?.cancel()
    source = nil
  }

  /// - Throws: `SystemError` when the terminal or a watch on it cannot be had.
  func watch(_ loop: EventLoop) throws(SystemError) {
    // PID 1 closes its end whenever it has nothing to print; without an end of our own epoll would report a hang-up then,
    // without pause.
    peer = try openPeer(of: master)
    // Last: a guest that prints without end must not keep anything else waiting.
    source = try loop.watch(master, for: .readable, priority: .last) { [unowned self] _ in drain() }
  }

  private static let piece = 16 * 1024

  /// Takes a bounded piece of what is there, and says whether there was any; what is left is reported again.
  @discardableResult
  private func drain() -> Bool {
    // An error cannot be mended here, and the guest's end is told by its pidfd.
    guard let bytes = try? readReady(master, limit: Self.piece), !bytes.isEmpty else { return false }
    text.append(bytes)
    return true
  }

  /// Takes what is left when the guest has ended: no more than a terminal holds, should somebody else go on printing.
  func drainAll() {
    for _ in 0..<(2 * ConsoleText.capacity / Self.piece) where !drain() { return }
  }
}
