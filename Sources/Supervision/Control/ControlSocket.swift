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
    let lock = try Self.lock(runtime)
    if try UnixStream.answers(at: path) { throw SystemError("listen at \(path)", errno: EADDRINUSE) }
    removeFile(path)
    listener = try openListener(.stream, .path(path), SocketOptions(mode: 0o600, backlog: 64))
    self.lock = lock
  }

  deinit { removeFile(path) }

  private static let tries = 100
  private static let pauseMilliseconds: Int32 = 5

  /// Half a second is waited for it: what a daemon was starting when it was killed has its descriptors until it executes or ends.
  private static func lock(_ runtime: String) throws(SystemError) -> OwnedFD {
    var left = tries
    while true {
      do throws(SystemError) {
        return try lockDirectory(runtime)
      } catch {
        if error.errno != EWOULDBLOCK { throw error }
        left -= 1
        if left == 0 { throw SystemError("lock \(runtime)", errno: EADDRINUSE) }
        _ = poll(nil, 0, pauseMilliseconds)
      }
    }
  }
}
