import Glibc

/// A file descriptor that is closed at the end of its life.
///
/// A parameter `consuming OwnedFD` takes the descriptor over and closes it; a `borrowing OwnedFD` leaves it with the
/// caller. The model is Rust's `OwnedFd`: an error of close(2) is not reported, because the descriptor is gone
/// either way and there is nobody who could do anything about it.
public struct OwnedFD: ~Copyable, Sendable {
  /// The number, for system calls inside `Linux` and `Launching` only.
  public let raw: Int32

  /// Takes over `raw`, which must be open and owned by nobody else.
  public init(owning raw: Int32) {
    // Trap: the caller did not check the result of its system call.
    precondition(raw >= 0, "a descriptor is never negative")
    self.raw = raw
  }

  deinit { close(raw) }

  /// Gives the number away; the caller closes it from now on.
  public consuming func release() -> Int32 {
    let raw = self.raw
    discard self
    return raw
  }

  /// A second descriptor of the same open file, close-on-exec.
  ///
  /// - Throws: `SystemError` when the process has no descriptor left (`EMFILE`).
  public func duplicate() throws(SystemError) -> OwnedFD {
    let raw = self.raw
    return OwnedFD(owning: try retrying("fcntl F_DUPFD_CLOEXEC") { fcntl(raw, F_DUPFD_CLOEXEC, 3) })
  }
}
