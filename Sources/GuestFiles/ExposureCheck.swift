import GuestSpec
import Linux
import UnitSyntax

extension LoadedGuest {
  /// Says which directories root of the guest could leave set-user-ID programs in where users of this host reach them. The guest does not
  /// start then.
  var exposures: [Diagnostic] {
    guest.exposedDirectories(root: guest.rootDirectory).compactMap { directory in
      guard let path = try? SafePath(directory.path),
        // The files belong to the guest's users already.
        directory.owner != .root || path.user < PrivateUsers.usualCount,
        path.isReachable(exceptBy: directory.owner == .root ? 0 : path.user)
      else { return nil }
      return Diagnostic(file: files.last ?? guest.name, .error, directory.problem)
    }
  }
}
