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
    let flags = O_CREAT | O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY
    var status = stat()
    while true {
      let file = OwnedFD(owning: try retrying("open \(path)") { open(path, flags, 0o600) })
      let raw = file.raw
      var whole = flock()
      whole.l_type = Int16(F_WRLCK)
      whole.l_whence = Int16(SEEK_SET)
      if fcntl(raw, linux_F_OFD_SETLK, &whole) == -1 {
        if errno == EAGAIN || errno == EACCES { return nil }
        throw SystemError("lock \(path)", errno: errno)
      }
      try retrying("stat \(path)") { fstat(raw, &status) }
      // Who had the lock before may have removed the file between the two calls.
      if status.st_nlink > 0 {
        self.path = path
        self.file = file
        return
      }
    }
  }

  // While the lock is still there: another's file is never removed.
  deinit { unlink(path) }
}
