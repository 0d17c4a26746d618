import GuestSpec
import Linux

extension InitSystem {
  /// Recognises the init that `Boot=yes` would run, from the guest's root as it is now.
  ///
  /// - Returns: nil with `Boot=no`, or when the root has no init.
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
