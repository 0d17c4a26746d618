import Glibc

/// A file descriptor that is closed when its value is destroyed.
///
/// A parameter `consuming OwnedFD` takes the descriptor over and closes it; a `borrowing OwnedFD` leaves it with the caller. The model is
/// Rust's `OwnedFd`: an error of close(2) is ignored, because the descriptor is closed all the same and no caller could act on it.
public struct OwnedFD: ~Copyable, Sendable {
  /// The number, for system calls in `Linux` and `Launching` only.
  public let raw: Int32

  /// Takes over `raw`, which must be open and have no other owner.
  public init(owning raw: Int32) {
    // Trap: the caller did not check the result of its system call.
    precondition(raw >= 0, "a descriptor is never negative")
    self.raw = raw
  }

  deinit { close(raw) }

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
