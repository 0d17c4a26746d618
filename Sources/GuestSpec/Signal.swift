/// A signal by name; the number of a real-time one is libc's affair (`SIGRTMIN` is not a constant), so it stays an
/// offset here.
public enum Signal: Hashable, Sendable {
  /// A classic signal of signal(7) by its number on every architecture that Linux shares the numbers of.
  case number(Int32)
  /// `SIGRTMIN+n`.
  case realtime(Int32)

  /// SIGTERM.
  public static let sigterm = Signal.number(15)
  /// The real-time ones by which systemd(1) is told to stop: halt, poweroff, reboot and kexec, each also at once.
  public static let stopsOfSystemd = [3, 4, 5, 6, 13, 14, 15, 16].map { Signal.realtime($0) }
}
