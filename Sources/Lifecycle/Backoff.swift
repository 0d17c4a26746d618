/// The pause between the failures of a guest, which grows: the guest is always tried again, and never in a busy loop.
public enum Backoff {
  /// A guest that ended too soon this often in a row is still woken at once. After one more time it is woken after a pause.
  public static let allowance = 2
  /// After this many failures in a row clients are refused until the pause is over, as with systemd's start limit
  /// (`DefaultStartLimitBurst=`). The first client after the pause starts the guest again, so the guest recovers by itself when the cause
  /// is removed.
  public static let limit = 5
  /// The longest pause, so that a guest works again soon after the cause is removed.
  public static let longest = Duration.seconds(300)

  /// 500 ms, doubled for each further failure.
  public static func pause(afterFailures failures: Int) -> Duration {
    let doublings = min(max(failures - 1, 0), 16)
    return min(.milliseconds(500) * (1 << doublings), longest)
  }

  /// How long a guest must have been ready until its earlier failures are forgotten.
  public static let stableAfter = Duration.seconds(10)

  /// How long no connection must come to a sleeping guest until its failures are forgotten. A client that was queued during the last failure
  /// is still there, and is reported as an incoming connection at once.
  public static func quiet(afterFailures failures: Int) -> Duration {
    max(stableAfter, pause(afterFailures: failures))
  }
}
