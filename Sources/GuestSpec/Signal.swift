/// A signal. A real-time signal is an offset from `SIGRTMIN` because the C library decides its number at run time.
public enum Signal: Hashable, Sendable {
  /// A standard signal of signal(7), by its number, which is the same on most architectures.
  case number(Int32)
  /// `SIGRTMIN+n`.
  case realtime(Int32)

  /// SIGTERM.
  public static let sigterm = Signal.number(15)
  /// The real-time signals that make systemd(1) shut down: halt, poweroff, reboot and kexec, and each of them immediately.
  public static let stopsOfSystemd = [3, 4, 5, 6, 13, 14, 15, 16].map { Signal.realtime($0) }
}
