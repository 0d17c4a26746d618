import GuestSpec
import Linux

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
