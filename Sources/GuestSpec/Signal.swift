/// A signal. A real-time signal is an offset from `SIGRTMIN` because the C library decides its number at run time.
public enum Signal: Hashable, Sendable {
  /// A standard signal of signal(7), by its number, which is the same on most architectures.
  case number(Int32)
  /// `SIGRTMIN+n`.
  case realtime(Int32)

  /// SIGHUP.
  public static let sighup = Signal.number(1)
  /// SIGINT.
  public static let sigint = Signal.number(2)
  /// SIGQUIT.
  public static let sigquit = Signal.number(3)
  /// SIGUSR1.
  public static let sigusr1 = Signal.number(10)
  /// SIGUSR2.
  public static let sigusr2 = Signal.number(12)
  /// SIGTERM.
  public static let sigterm = Signal.number(15)
  /// SIGCONT.
  public static let sigcont = Signal.number(18)
  /// SIGPWR.
  public static let sigpwr = Signal.number(30)
  /// The real-time signals that make systemd(1) shut down: halt, poweroff, reboot and kexec, and each of them immediately.
  public static let stopsOfSystemd = [3, 4, 5, 6, 13, 14, 15, 16].map { Signal.realtime($0) }
}
