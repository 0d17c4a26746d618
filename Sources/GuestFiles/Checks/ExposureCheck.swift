import GuestSpec
import Linux
import UnitSyntax

/// The directories in which root of the guest could leave set-user-ID programs for users of this host to execute. With one of them the guest
/// does not start.
enum ExposureCheck: GuestCheck {
  static func problems(of subject: CheckedGuest) -> [Diagnostic] {
    let loaded = subject.loaded
    return loaded.guest.exposedDirectories(root: loaded.guest.rootDirectory).compactMap { directory in
      guard let path = try? SafePath(directory.path),
        // The files belong to the guest's users already.
        directory.owner != .root || path.user < PrivateUsers.usualCount,
        path.isReachable(
          exceptBy: directory.owner == .root ? 0 : path.user, whenOpened: directory.isOpenedByGuest)
      else { return nil }
      return Diagnostic(file: loaded.files.last ?? loaded.name, .error, directory.problem)
    }
  }
}
