import Glibc
import Linux

/// Another daemon serves in the same runtime directory.
struct RuntimeInUse: Error, CustomStringConvertible {
  let runtime: String

  var description: String { "another dormoused uses \(runtime); stop it, or give another --runtime" }

  /// Calls `body`, and throws this error in place of EADDRINUSE.
  static func saying<Result>(of runtime: String, _ body: () throws(SystemError) -> Result) throws -> Result {
    do throws(SystemError) {
      return try body()
    } catch {
      throw error.errno == EADDRINUSE ? RuntimeInUse(runtime: runtime) : error
    }
  }
}

/// The control socket in the file system. It is created by `init`, removed by `deinit`, and never taken from a running daemon.
final class ControlSocket {
  let listener: OwnedFD
  private let lock: OwnedFD
  private let path: String

  /// Listens at `RUNTIME/io.dormouse`, mode 0600; creates `runtime`, mode 0755, if it is missing.
  ///
  /// - Throws: `SystemError`, with `EADDRINUSE` if a daemon has locked `runtime` already.
  init(runtime: String) throws(SystemError) {
    path = "\(runtime)/io.dormouse"
    try makeDirectories(runtime)
    // The lock and not the socket decides which process is the daemon: another one could come between the test of a stale socket and its
    // replacement. The kernel releases the lock when the process ends, for whatever cause.
    let lock = try Self.lock(runtime)
    if try UnixStream.answers(at: path) { throw SystemError("listen at \(path)", errno: EADDRINUSE) }
    removeFile(path)
    listener = try openListener(.stream, .path(path), SocketOptions(mode: 0o600, backlog: 64))
    self.lock = lock
  }

  deinit { removeFile(path) }

  private static let tries = 100
  private static let pauseMilliseconds: Int32 = 5

  /// Waits up to half a second: a process that a killed daemon was about to start has the daemon's descriptors until it executes or ends.
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
