import Glibc

/// The two clocks that are needed, as time since their own beginnings.
public enum Clocks {
  /// CLOCK_MONOTONIC: for spans; it never jumps, and stands still while the machine is suspended.
  public static var monotonic: Duration { read(CLOCK_MONOTONIC) }

  /// CLOCK_REALTIME, since 1970: for people and for the kernel's stamps on datagrams. It may jump.
  public static var realtime: Duration { read(CLOCK_REALTIME) }

  private static func read(_ clock: clockid_t) -> Duration {
    var time = timespec()
    clock_gettime(clock, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }
}
