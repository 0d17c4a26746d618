import GuestSpec
import UnitSyntax

/// Settings that do not fit an init that is not systemd.
enum InitCheck: GuestCheck {
  static func problems(of subject: CheckedGuest) -> [Diagnostic] {
    let guest = subject.guest
    guard subject.hasRoot, let found = InitSystem(of: guest) else { return [] }
    func warning(_ words: String) -> Diagnostic { Diagnostic(file: subject.loaded.files.last ?? "", .warning, words) }
    var problems: [Diagnostic] = []
    if !found.sendsReady, guest.exec.notifyReady == true {
      problems.append(
        warning(
          "NotifyReady=yes: the guest's \(found.name) never sends READY=1; remove the setting, and the guest is ready as"
            + " soon as it runs"))
    }
    switch (found, guest.exec.killSignal) {
    case (.systemd, _), (.other, _?): break
    case (.other, nil):
      problems.append(
        warning(
          "the guest's init is none that is known; write KillSignal= with the signal at which it powers off, and"
            + " NotifyReady=no if it does not send READY=1"))
    case (.sysvinit(powersOff: false), nil):
      problems.append(
        warning(
          "the guest's sysvinit is older than 3.11 and has no signal for powering off: it is sent SIGINT, and does what the"
            + " line ctrlaltdel in its inittab says; let that line run /sbin/shutdown -h now"))
    case (_, nil): break
    case (_, let signal?):
      if !found.stopSignals.contains(signal) {
        problems.append(
          warning(
            "KillSignal=\(signal): the guest's \(found.name) does not power off at this signal; remove it, and"
              + " \(found.stopSignal) is sent"))
      }
    }
    return problems
  }
}
