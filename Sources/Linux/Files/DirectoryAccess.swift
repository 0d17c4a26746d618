import Glibc

/// Owner, group, mode and access control list of a directory: who may enter it.
public struct DirectoryAccess: Equatable, Sendable {
  let user: UInt32
  let group: UInt32
  let mode: UInt32
  let hasList: Bool

  init(user: UInt32, group: UInt32, mode: UInt32, hasList: Bool = false) {
    (self.user, self.group, self.mode, self.hasList) = (user, group, mode, hasList)
  }

  init(_ status: stat, hasList: Bool) {
    self.init(user: status.st_uid, group: status.st_gid, mode: status.st_mode, hasList: hasList)
  }

  /// Whether only root and `user` may enter it. A group with the number 0, or with that of `user`, counts as theirs: useradd(8) gives a
  /// user a group of the same number, without other members.
  func isClosed(exceptTo user: UInt32) -> Bool {
    let isTheirs = self.user == 0 || self.user == user
    let isTheirGroup = !hasList && (group == 0 || group == user)
    return isTheirs && mode & 0o001 == 0 && (mode & 0o010 == 0 || isTheirGroup)
  }

  /// Whether only root and this process's effective user can write to it. In a sticky directory such as /tmp everybody can make a file, but
  /// only the owner of an entry can replace it. So such a directory is good on the way to another one, and not as the `last` one.
  func isOnlyOurs(last isLast: Bool) -> Bool {
    guard user == 0 || user == geteuid() else { return false }
    // Only root is expected in the group root, so its write permission is harmless.
    let isWritable = mode & 0o002 != 0 || mode & 0o020 != 0 && (group != 0 || hasList)
    return !isWritable || !isLast && mode & S_ISVTX != 0
  }
}

/// Whether only root and this process's effective user can write to a directory, or replace it or a directory above it. For a directory that
/// does not exist the ones above it count.
///
/// `SafePath` asks less: whose files a path may lead to. A file that is made or exchanged beside another one needs this.
public func isOnlyOurs(_ directory: String) -> Bool { isOnlyOurs(directory, last: true) }

private func isOnlyOurs(_ directory: String, last: Bool) -> Bool {
  do throws(SystemError) {
    let path = try SafePath(directory)
    let end = path.walked.count - 1
    return path.kind == .directory
      && path.walked.enumerated().allSatisfy { $0.element.isOnlyOurs(last: last && $0.offset == end) }
  } catch {
    guard error.errno == ENOENT, directory != "/" else { return false }
    return isOnlyOurs(parentDirectory(of: directory), last: false)
  }
}

/// The last name of a path; `.` when it has none.
func lastComponent(of path: String) -> String { path.split(separator: "/").last.map(String.init) ?? "." }

/// The path without its last component.
func parentDirectory(of path: String) -> String {
  let trimmed = path.reversed().drop { $0 == "/" }
  let parent = String(trimmed.drop { $0 != "/" }.drop { $0 == "/" }.reversed())
  return parent.isEmpty ? "/" : parent
}
