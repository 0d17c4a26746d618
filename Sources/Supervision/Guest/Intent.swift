import Systemd

/// What a systemd that is PID 1 of a guest lets know of its staying or going.
///
/// In the order in which it is heard (seen of 257 and 262; 252 tells of no targets, and of its end only that it was told by a signal):
///
/// - a poweroff, a reboot: graphical, multi-user, getty, timers cease; 40 ms later basic, paths, slices, sockets, sysinit do;
///   shutdown.target and then poweroff.target are active; `X_SYSTEMD_SHUTDOWN=`;
/// - a soft reboot: the same, but soft-reboot.target; `RELOADING=1`; timers, sockets, basic are active; `READY=1`;
/// - `isolate rescue.target`: graphical, multi-user, getty, timers cease; rescue.target is active; basic, paths, slices, sockets cease;
/// - `stop multi-user.target`: graphical, multi-user cease; `stop basic.target`: basic does too.
///
/// So the first sign of a shutdown that the last two do not give comes a millisecond after its first word, and what tells it from the
/// others comes when the sockets are closed already.
enum Intent: Equatable {
  /// Not `confirmed` when it may be about something else.
  case shutdown(confirmed: Bool)
  /// It goes on.
  case aborted
}

extension NotifyMessage {
  /// With the targets of the guest that are active after this message; nil when it says nothing of the kind.
  func intent(active: [String]) -> Intent? {
    if isStopping || shutdown != nil || isToldToEnd || activeUnits.contains(where: Self.ends.contains) {
      return .shutdown(confirmed: true)
    }
    // There it stays, without its sockets.
    if active.contains(where: Self.rescues.contains), !active.contains(Self.sockets) { return .aborted }
    if inactiveUnits.contains(where: Self.lasting.contains) || activeUnits.contains("shutdown.target") {
      return .shutdown(confirmed: false)
    }
    return activeUnits.contains(where: Self.lasting.contains) ? .aborted : nil
  }

  /// By a signal; three dots may stand behind the name.
  private var isToldToEnd: Bool {
    guard let unit = status?.split(separator: " ").last, status?.hasPrefix("Activating special unit ") == true else {
      return false
    }
    return Self.ends.contains { unit.hasPrefix($0) }
  }

  private static let ends = ["halt.target", "poweroff.target", "reboot.target", "kexec.target", "exit.target"]
  private static let rescues = ["rescue.target", "emergency.target"]
  private static let sockets = "sockets.target"
  /// Of these the first ceases early in a shutdown, and the second just before the sockets are closed.
  private static let lasting = ["timers.target", sockets]
}
