import CLinux
import Glibc

/// A user of this host (getpwnam(3), getspnam(3)).
public struct UserEntry: Equatable, Sendable {
  /// The user's number.
  public let uid: UInt32
  /// The number of the primary group.
  public let gid: UInt32
  /// The home directory.
  public let home: String
  /// The login shell; empty when the entry has none.
  public let shell: String
  /// The password field of shadow(5); nil when there is no entry.
  public let password: [UInt8]?

  /// Looks up a user; nil when there is no user of that name.
  ///
  /// - Throws: `SystemError` when the databases cannot be read.
  public init?(named name: String) throws(SystemError) {
    errno = 0
    guard let entry = getpwnam(name) else {
      // getpwnam(3) lists these for a name that was not found.
      if [0, ENOENT, ESRCH, EBADF, EPERM].contains(errno) { return nil }
      throw SystemError("getpwnam \(name)", errno: errno)
    }
    uid = entry.pointee.pw_uid
    gid = entry.pointee.pw_gid
    // A module of nsswitch.conf(5) may leave either out.
    home = entry.pointee.pw_dir.map { String(cString: $0) } ?? ""
    shell = entry.pointee.pw_shell.map { String(cString: $0) } ?? ""
    password = linux_password(name).map { Array(String(cString: $0).utf8) }
  }
}
