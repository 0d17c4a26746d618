import GuestSpec
import Linux
import UnitSyntax

extension InitSystem {
  /// Finds what PID 1 of a guest is with `Boot=yes`, from its root as it is now.
  ///
  /// - Returns: nil when its PID 1 is a program of its own, or there is no init.
  package init?(of guest: Guest) {
    guard guest.exec.boot else { return nil }
    let tree = GuestTree(guest)
    for path in InitSystem.paths.map({ (guest.exec.root.pivot?.new ?? "") + $0 }) {
      guard case .file(let resolved) = try? tree.kind(of: path) else { continue }
      self.init(path: resolved) { (try? tree.read(resolved, limit: InitSystem.programLimit)) ?? [] }
      return
    }
    return nil
  }
}

extension LoadedGuest {
  /// What the guest's file should say about an init that is not systemd.
  func initProblems() -> [Diagnostic] {
    guard !hasErrors, let file = files.last, let found = InitSystem(of: guest) else { return [] }
    func warning(_ words: String) -> Diagnostic { Diagnostic(file: file, .warning, words) }
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
