import Linux

/// Sets the daemon's own oom_score_adj to a guest's while the guest is launched.
///
/// A new process inherits the score, and the kernel keeps it equal in all processes that share memory, as the daemon and the child do until
/// execve(2). Setting it on PID 1 afterwards would be too late for processes that the guest has forked in the meantime.
struct LentScore {
  private static let path = "/proc/self/oom_score_adj"
  private let own: String?

  /// Without a `score` the guest gets the daemon's own, or 0 where that is negative: only the daemon is to be protected.
  ///
  /// - Throws: `LaunchError`; `EACCES` when the score is lower than a daemon without CAP_SYS_RESOURCE may set.
  init(_ score: Int16?) throws(LaunchError) {
    do throws(SystemError) {
      let text = String(decoding: try readFile(Self.path, limit: 16), as: UTF8.self)
      guard let score = score ?? (text.hasPrefix("-") ? 0 : nil) else {
        own = nil
        return
      }
      own = text
      try writeSetting(Self.path, "\(score)")
    } catch {
      throw LaunchError("setting OOMScoreAdjust=", errno: error.errno)
    }
  }

  /// Sets the score back. The kernel allows every process its former score.
  func restore() {
    if let own { try? writeSetting(Self.path, own) }
  }
}
