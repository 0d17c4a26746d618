import Glibc
import GuestSpec
import Linux
import Planning

extension GuestStarter {
  /// Refuses a guest whose root user could leave set-user-ID programs, owned by users of the host, where others can execute them.
  ///
  /// - Throws: `StartError.exposed`, which names the remedies.
  func refuseExposure(of guest: Guest, _ facts: StartFacts) throws(StartError) {
    // Without a user namespace, root in the guest is root of the host anyway.
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
      return path.isReachable(
        exceptBy: directory.owner == .root ? 0 : path.user, whenOpened: directory.isOpenedByGuest)
    } catch {
      // A directory that is missing is for the launch to report, with its setting, unless it is optional.
      if error.errno == ENOENT || error.errno == ENOTDIR { return false }
      throw .system(error)
    }
  }

  /// Refuses a guest whose changes would be written to a file system of the host that is nearly full.
  ///
  /// - Throws: `StartError.noSpace`.
  func refuseShortage(for guest: Guest) throws(StartError) {
    // Without a scratch directory the guest writes to its own root, or to memory.
    guard guest.needsScratch else { return }
    let space: FileSystemSpace
    do throws(SystemError) { space = try FileSystemSpace(of: scratchParent) } catch { throw .system(error) }
    if space.isInMemory { return }
    let shortage = backend.spaceFloor.shortage(at: scratchParent, free: space.free, total: space.total)
    if let shortage { throw .noSpace(shortage) }
  }
}
