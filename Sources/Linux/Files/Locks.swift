import CLinux
import Glibc

/// A lock file like systemd's: whoever holds its lock owns what the file stands for. File and lock are removed with this object.
public final class LockFile {
  private let path: String
  private let file: OwnedFD

  /// Makes the file and locks it. Any number of shared locks exclude an exclusive one.
  ///
  /// - Returns: nil when somebody else holds the lock, in this process or another.
  /// - Throws: `SystemError` of open(2), fcntl(2) or fstat(2).
  public init?(locking path: String, isShared: Bool = false) throws(SystemError) {
    while true {
      let file = try openLock(path)
      guard try takeLock(file, LINUX_F_OFD_SETLK, isShared ? F_RDLCK : F_WRLCK, "lock \(path)") else { return nil }
      if try isThere(file, path) {
        self.path = path
        self.file = file
        return
      }
    }
  }

  deinit {
    // Others may share the lock. Only who has it alone removes the file.
    if (try? takeLock(file, LINUX_F_OFD_SETLK, F_WRLCK, "lock \(path)")) == true { unlink(path) }
    // A child between clone3(2) and execve(2) has a copy of the descriptor, which would keep the lock.
    _ = try? takeLock(file, LINUX_F_OFD_SETLK, F_UNLCK, "unlock \(path)")
  }
}

/// Makes the file at `path` if it is missing, and locks it. It blocks while somebody else holds the lock, so it is for files that are locked
/// for moments only. The lock belongs to the descriptor and ends with it (F_OFD_SETLKW, fcntl(2)).
///
/// - Throws: `SystemError` of open(2) or fcntl(2).
public func lockFile(_ path: String) throws(SystemError) -> OwnedFD {
  while true {
    let file = try openLock(path)
    if try takeLock(file, LINUX_F_OFD_SETLKW, F_WRLCK, "lock \(path)"), try isThere(file, path) { return file }
  }
}

/// Locks an open file for this process, until it closes any descriptor of the file, or exits. Children do not inherit the lock (F_SETLK,
/// fcntl(2)).
///
/// - Returns: false when another process holds the lock.
/// - Throws: `SystemError`; `EBADF` when the file is not open for writing.
public func lockForProcess(_ file: borrowing OwnedFD) throws(SystemError) -> Bool {
  try takeLock(file, F_SETLK, F_WRLCK, "fcntl F_SETLK")
}

/// Opens a directory and locks it as long as the descriptor is open. Only one process at a time can hold the lock.
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

/// Locks or unlocks the whole file; false when somebody else holds a lock that excludes this one.
private func takeLock(
  _ file: borrowing OwnedFD, _ kind: Int32, _ lock: Int32, _ call: String
) throws(SystemError) -> Bool {
  let raw = file.raw
  var whole = flock()
  whole.l_type = Int16(lock)
  whole.l_whence = Int16(SEEK_SET)
  do throws(SystemError) {
    try retrying(call) { fcntl(raw, kind, &whole) }
    return true
  } catch {
    if error.errno == EAGAIN || error.errno == EACCES { return false }
    throw error
  }
}

/// Whether the locked file still has a name. Its earlier holder may have removed it before it was locked, and then the lock means nothing.
private func isThere(_ file: borrowing OwnedFD, _ path: String) throws(SystemError) -> Bool {
  let raw = file.raw
  var status = stat()
  try retrying("fstat \(path)") { fstat(raw, &status) }
  return status.st_nlink > 0
}
