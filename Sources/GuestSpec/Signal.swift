/// A signal by name; the number of a real-time one is libc's affair (`SIGRTMIN` is not a constant), so it stays an
/// offset here.
public enum Signal: Hashable, Sendable {
  /// A classic signal of signal(7) by its number on every architecture that Linux shares the numbers of.
  case number(Int32)
  /// `SIGRTMIN+n`.
  case realtime(Int32)

  public static let sigterm = Signal.number(15)
}
