import Glibc
import GuestSpec
import Linux
import Planning

extension GuestStarter {
  /// Refuses a guest whose root could leave set-user-ID programs of the host's users where others can execute them.
  ///
  /// - Throws: `StartError`, with what helps.
  func refuseExposure(of guest: Guest, _ facts: StartFacts) throws(StartError) {
    // With the host's users, root in the guest is root of the host anyway.
    guard let users = facts.users else { return }
    let exposed =
      guest.exposedDirectories(
        root: facts.root, isMapped: users.root != .none,
        hasHostIDs: users.map.users.outer < PrivateUsers.usualCount)
      + facts.boundUsers.map { .home(of: $0.host.name, path: $0.host.home) }
    for directory in exposed where try isReachable(directory) { throw .exposed(directory) }
  }

  private func isReachable(_ directory: ExposedDirectory) throws(StartError) -> Bool {
    do throws(SystemError) {
      let path = try SafePath(directory.path)
      return path.isReachable(exceptBy: directory.owner == .root ? 0 : path.user)
    } catch {
      // The launch says of which setting it is missing, or that it need not be there.
      if error.errno == ENOENT || error.errno == ENOTDIR { return false }
      throw .system(error)
    }
  }
}
