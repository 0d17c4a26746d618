import CLinux
import Glibc

/// A file descriptor that is closed when its value is destroyed.
///
/// A parameter `consuming OwnedFD` takes the descriptor over and closes it; a `borrowing OwnedFD` leaves it with the caller. The model is
/// Rust's `OwnedFd`: an error of close(2) is ignored, because the descriptor is closed all the same and no caller could act on it.
public struct OwnedFD: ~Copyable, Sendable {
  /// The number, for system calls in `Linux` and `Launching` only.
  public let raw: Int32
  private let closing: Closing

  /// The thread that closes it. When a guest has had the same open file, the last close(2) may take seconds: a connection with SO_LINGER, a
  /// file with a million pages, a socket with such files in its queue.
  public enum Closing: Sendable {
    case here
    /// Another thread closes it.
    case elsewhere
    /// Another thread closes it, and this one waits for that at most 20 ms. Usually a socket's address is free afterwards.
    case elsewhereSoon
  }

  /// Takes over `raw`, which must be open and have no other owner.
  public init(owning raw: Int32, closing: Closing = .here) {
    // Trap: the caller did not check the result of its system call.
    precondition(raw >= 0, "a descriptor is never negative")
    self.raw = raw
    self.closing = closing
  }

  deinit {
    switch closing {
    case .here: close(raw)
    case .elsewhere: linux_close_elsewhere(raw, 0)
    case .elsewhereSoon: linux_close_elsewhere(raw, 20)
    }
  }

  /// Passes ownership of the number to the caller, who has to close it.
  public consuming func release() -> Int32 {
    let raw = self.raw
    discard self
    return raw
  }

  /// Opens a second descriptor of the same open file description, close-on-exec.
  ///
  /// - Throws: `SystemError` when the process has no descriptor left (`EMFILE`).
  public func duplicate() throws(SystemError) -> OwnedFD {
    let raw = self.raw
    return OwnedFD(owning: try retrying("fcntl F_DUPFD_CLOEXEC") { fcntl(raw, F_DUPFD_CLOEXEC, 3) })
  }
}
