/// What is wrong with `[Exec]` only as a whole.
extension GuestReader {
  mutating func checkExec(_ whole: Place) {
    guard guest.exec.boot else { return }
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
}
