/// Checks of `[Exec]` that need several settings.
extension GuestReader {
  mutating func checkExec(_ whole: Place) {
    checkRings(whole)
    if guest.exec.processTwo { checkProcessTwo(places["Exec.ProcessTwo"] ?? whole) }
    guard guest.exec.boot else {
      let (key, place) =
        guest.exec.processTwo ? ("ProcessTwo=yes", places["Exec.ProcessTwo"]) : ("Boot=no", places["Exec.Boot"])
      if guest.exec.parameters.isEmpty {
        report(place ?? whole, .error, "\(key) needs a command line to run; write it as Parameters=")
      }
      return
    }
    if guest.exec.process.user != nil {
      report(
        places["Exec.User"] ?? whole, .error,
        "User= cannot be combined with Boot=yes: an init must run as root; remove User= or set Boot=no")
    }
    if !guest.exec.capabilities.ambient.isEmpty {
      report(
        places["Exec.AmbientCapability"] ?? whole, .error,
        "AmbientCapability= cannot be combined with Boot=yes: an init has all capabilities anyway; use Capability=")
    }
  }

  private mutating func checkRings(_ whole: Place) {
    let asked = guest.exec.sandbox.systemCalls.first { $0.isAllowed && SystemCalls.rings.contains($0.name) }
    guard let asked, guest.exec.sandbox.families != nil else { return }
    report(
      places["Exec.SystemCallFilter"] ?? whole, .warning,
      "SystemCallFilter=\(asked.name) has no effect beside RestrictAddressFamilies=, "
        + "because io_uring makes sockets that no filter sees; remove one of them")
  }

  /// The signals at which the small init powers off or reboots; SIGINT is what the kernel sends for Ctrl-Alt-Del.
  private static let ofSmallInit = Signal.stopsOfSystemd + [.sigint]

  private mutating func checkProcessTwo(_ place: Place) {
    if guest.exec.boot {
      report(
        place, .error,
        "ProcessTwo=yes cannot be combined with Boot=yes: an init must be process 1; remove one of them")
    } else if let signal = guest.exec.killSignal, !Self.ofSmallInit.contains(signal) {
      report(
        places["Exec.KillSignal"] ?? place, .warning,
        "the init of ProcessTwo=yes ignores KillSignal=\(signal); remove it, and the program is stopped with SIGTERM")
    }
  }
}
