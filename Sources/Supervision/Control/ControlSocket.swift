import Glibc
import Linux

/// The control socket in the file system: made at first, removed at the end, and never taken from a living daemon.
final class ControlSocket {
  let listener: OwnedFD
  private let lock: OwnedFD
  private let path: String

  /// Listens at `RUNTIME/io.dormouse`, for this user alone; makes `runtime` (0755) when it is missing.
  ///
  /// - Throws: `SystemError` with `EADDRINUSE` when a daemon holds `runtime` already.
  init(runtime: String) throws(SystemError) {
    path = "\(runtime)/io.dormouse"
    try makeDirectories(runtime)
    // The lock, not the socket, says who the daemon is: between finding a dead socket and replacing it, another daemon
    // could do the same. The kernel drops the lock with the process, however that ends.
    let lock: OwnedFD
    do throws(SystemError) {
      lock = try lockDirectory(runtime)
    } catch {
      throw error.errno == EWOULDBLOCK ? SystemError("lock \(runtime)", errno: EADDRINUSE) : error
    }
    if try UnixStream.answers(at: path) { throw SystemError("listen at \(path)", errno: EADDRINUSE) }
    removeFile(path)
    listener = try UnixStream.listen(at: path, mode: 0o600, backlog: 64)
    self.lock = lock
  }

  deinit { removeFile(path) }
}
