/// What is wrong with `[Exec]` only as a whole.
extension GuestReader {
  mutating func checkExec(_ whole: Place) {
    if guest.exec.processTwo { checkProcessTwo(places["Exec.ProcessTwo"] ?? whole) }
    guard guest.exec.boot else {
      let (key, place) =
        guest.exec.processTwo ? ("ProcessTwo=yes", places["Exec.ProcessTwo"]) : ("Boot=no", places["Exec.Boot"])
      if guest.exec.parameters.isEmpty {
        report(place ?? whole, .error, "\(key) needs a command line to run; write it as Parameters=")
      }
      return
    }
    if guest.exec.user != nil {
      report(
        places["Exec.User"] ?? whole, .error,
        "User= cannot be with Boot=yes: an init has to be root; take User= out, or set Boot=no")
    }
    if !guest.exec.ambientCapabilities.isEmpty {
      report(
        places["Exec.AmbientCapability"] ?? whole, .error,
        "AmbientCapability= cannot be with Boot=yes: an init has all capabilities anyway; use Capability=")
    }
  }

  /// What the small init takes for a power-off or a reboot; SIGINT is Ctrl-Alt-Del's.
  private static let ofSmallInit = Signal.stopsOfSystemd + [.number(2)]

  private mutating func checkProcessTwo(_ place: Place) {
    if guest.exec.boot {
      report(
        place, .error,
        "ProcessTwo=yes cannot be with Boot=yes: an init has to be process 1; take one of them out")
    } else if let signal = guest.exec.killSignal, !Self.ofSmallInit.contains(signal) {
      report(
        places["Exec.KillSignal"] ?? place, .warning,
        "KillSignal=\(signal) is not obeyed by the small init of ProcessTwo=yes; take it out: the program gets SIGTERM")
    }
  }
}
