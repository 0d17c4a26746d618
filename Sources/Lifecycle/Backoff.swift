/// The growing pause between a guest's failures: never a dead port, never a busy loop.
public enum Backoff {
  /// Guests that end too soon this often in a row are still woken at once; one more, and the wake is paid for with a pause.
  public static let allowance = 2
  /// The longest pause, so that a guest heals by itself soon after its fault is mended.
  public static let longest = Duration.seconds(300)

  /// 500 ms, doubled for each further failure.
  public static func pause(afterFailures failures: Int) -> Duration {
    let doublings = min(max(failures - 1, 0), 16)
    return min(.milliseconds(500) * (1 << doublings), longest)
  }

  /// How long a guest must have been ready until its earlier failures are forgotten.
  public static let stableAfter = Duration.seconds(10)

  /// How long nobody must have incoming at a sleeping guest until its failures are forgotten. Whom it failed still waits in a queue,
  /// and incoming at once.
  public static func quiet(afterFailures failures: Int) -> Duration {
    max(stableAfter, pause(afterFailures: failures))
  }
}
