import Systemd

/// What a guest's systemd, by its messages to the notify socket, intends: to shut down, or to keep running.
///
/// systemd 257 and 262 send the following, in this order. (252 reports no targets, and of a shutdown only that a signal asked for it.)
///
/// - a poweroff, a reboot: graphical, multi-user, getty, timers become inactive; 40 ms later basic, paths, slices, sockets, sysinit;
///   shutdown.target and then poweroff.target are active; `X_SYSTEMD_SHUTDOWN=`;
/// - a soft reboot: the same, but soft-reboot.target; `RELOADING=1`; timers, sockets, basic are active; `READY=1`;
/// - `isolate rescue.target`: graphical, multi-user, getty, timers become inactive; rescue.target is active; basic, paths, slices, sockets
///   become inactive;
/// - `stop multi-user.target`: graphical, multi-user become inactive; `stop basic.target`: basic too.
///
/// So timers.target, a millisecond after the first message, distinguishes a shutdown from the last of these. What distinguishes it from
/// all of them comes when the guest's sockets are closed already.
enum Intent: Equatable {
  /// Unless `confirmed`, the messages may have another cause.
  case shutdown(confirmed: Bool)
  /// It keeps running.
  case aborted
}

extension NotifyMessage {
  /// What the message means, given the targets that are active after it; nil when it means neither.
  func intent(active: [String]) -> Intent? {
    if isStopping || shutdown != nil || reportsSignal || activeUnits.contains(where: Self.ends.contains) {
      return .shutdown(confirmed: true)
    }
    // In rescue mode it keeps running, without its sockets.
    if active.contains(where: Self.rescues.contains), !active.contains(Self.sockets) { return .aborted }
    if inactiveUnits.contains(where: Self.lasting.contains) || activeUnits.contains("shutdown.target") {
      return .shutdown(confirmed: false)
    }
    return activeUnits.contains(where: Self.lasting.contains) ? .aborted : nil
  }

  /// Whether it reports that a signal started a shutdown; the name of the target may be followed by three dots.
  private var reportsSignal: Bool {
    guard let unit = status?.split(separator: " ").last, status?.hasPrefix("Activating special unit ") == true else {
      return false
    }
    return Self.ends.contains { unit.hasPrefix($0) }
  }

  private static let ends = ["halt.target", "poweroff.target", "reboot.target", "kexec.target", "exit.target"]
  private static let rescues = ["rescue.target", "emergency.target"]
  private static let sockets = "sockets.target"
  /// The first becomes inactive early in a shutdown, the second just before the sockets are closed.
  private static let lasting = ["timers.target", sockets]
}
