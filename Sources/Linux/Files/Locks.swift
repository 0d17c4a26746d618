import CLinux
import Glibc

/// A file that exists only to be locked, as systemd's are: whoever has the lock has what the file stands for. It is removed, and the
/// lock with it, at the end of this value's life.
public final class LockFile {
  private let path: String
  private let file: OwnedFD

  /// - Returns: nil when somebody else has the lock, of this process or another.
  /// - Throws: `SystemError` of open(2), fcntl(2) or fstat(2).
  public init?(locking path: String) throws(SystemError) {
    while true {
      let file = try openLock(path)
      guard try takeLock(file, LINUX_F_OFD_SETLK, "lock \(path)") else { return nil }
      if try isThere(file, path) {
        self.path = path
        self.file = file
        return
      }
    }
  }

  // While the lock is still there: another's file is never removed.
  deinit { unlink(path) }
}

/// Makes the file at `path` if need be and waits until nobody else has its lock, which is the descriptor's and goes with it
/// (F_OFD_SETLKW, fcntl(2)). For files that are locked for moments only.
///
/// - Throws: `SystemError` of open(2) or fcntl(2).
public func lockFile(_ path: String) throws(SystemError) -> OwnedFD {
  while true {
    let file = try openLock(path)
    if try takeLock(file, LINUX_F_OFD_SETLKW, "lock \(path)"), try isThere(file, path) { return file }
  }
}

/// Locks an open file for this process, until that closes any descriptor of the file or ends. A child that is being made has no part
/// in the lock (F_SETLK, fcntl(2)).
///
/// - Returns: false when another process has it.
/// - Throws: `SystemError`; `EBADF` when the file is not open for writing.
public func lockForProcess(_ file: borrowing OwnedFD) throws(SystemError) -> Bool {
  try takeLock(file, F_SETLK, "fcntl F_SETLK")
}

/// Opens a directory and locks it, for as long as the descriptor is open: only one process at a time can.
///
/// - Throws: `SystemError`; `EWOULDBLOCK` when another process holds the lock.
public func lockDirectory(_ path: String) throws(SystemError) -> OwnedFD {
  let fd = OwnedFD(owning: try retrying("open \(path)") { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
  try retrying("flock \(path)") { flock(fd.raw, LOCK_EX | LOCK_NB) }
  return fd
}

private func openLock(_ path: String) throws(SystemError) -> OwnedFD {
  let flags = O_CREAT | O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY
  return OwnedFD(owning: try retrying("open \(path)") { open(path, flags, 0o600) })
}

/// Locks the whole file for writing; false when somebody else has it.
private func takeLock(_ file: borrowing OwnedFD, _ kind: Int32, _ call: String) throws(SystemError) -> Bool {
  let raw = file.raw
  var whole = flock()
  whole.l_type = Int16(F_WRLCK)
  whole.l_whence = Int16(SEEK_SET)
  do throws(SystemError) {
    try retrying(call) { fcntl(raw, kind, &whole) }
    return true
  } catch {
    if error.errno == EAGAIN || error.errno == EACCES { return false }
    throw error
  }
}

/// Who had the lock before may have removed the file in between: then the lock of what was removed is worth nothing.
private func isThere(_ file: borrowing OwnedFD, _ path: String) throws(SystemError) -> Bool {
  let raw = file.raw
  var status = stat()
  try retrying("fstat \(path)") { fstat(raw, &status) }
  return status.st_nlink > 0
}
