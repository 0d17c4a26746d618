import Linux

/// The daemon's score for the case that memory runs out, while it is a guest's.
///
/// A process is born with its maker's, and as long as it shares the daemon's memory the kernel gives both the same. Once it has executed
/// it has its own; to change that then would come too late for what the guest has started in the meantime.
struct LentScore {
  private static let path = "/proc/self/oom_score_adj"
  private let own: String?

  /// Without a `score` nothing is done.
  ///
  /// - Throws: `LaunchError`; `EACCES` for a lower one than a daemon without CAP_SYS_RESOURCE may have.
  init(_ score: Int16?) throws(LaunchError) {
    guard let score else {
      own = nil
      return
    }
    do throws(SystemError) {
      own = String(decoding: try readFile(Self.path, limit: 16), as: UTF8.self)
      try writeSetting(Self.path, "\(score)")
    } catch {
      throw LaunchError("adjusting the score for the case that memory runs out", errno: error.errno)
    }
  }

  /// What one had oneself is never refused.
  func giveBack() {
    if let own { try? writeSetting(Self.path, own) }
  }
}
