import Glibc

/// The two clocks that the daemon needs, as the time since their epochs.
public enum Clocks {
  /// CLOCK_MONOTONIC, for time spans. It never jumps, and stops while the machine is suspended.
  public static var monotonic: Duration { read(CLOCK_MONOTONIC) }

  /// CLOCK_REALTIME, the time since 1970: for people, and for the kernel's timestamps of datagrams. It may jump.
  public static var realtime: Duration { read(CLOCK_REALTIME) }

  private static func read(_ clock: clockid_t) -> Duration {
    var time = timespec()
    clock_gettime(clock, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }
}
