import CLinux
import Glibc

/// A user of this host, by getpwnam(3) and getspnam(3).
public struct UserEntry: Equatable, Sendable {
  /// The user's number.
  public let uid: UInt32
  /// That of the first group.
  public let gid: UInt32
  /// The home directory.
  public let home: String
  /// Empty where the entry has none.
  public let shell: String
  /// The hash of shadow(5), or what stands in its place; nil when there is none.
  public let password: [UInt8]?

  /// nil when there is no user of that name.
  ///
  /// - Throws: `SystemError` when the databases cannot be read.
  public init?(named name: String) throws(SystemError) {
    errno = 0
    guard let entry = getpwnam(name) else {
      // getpwnam(3): these stand for a name that was not found.
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
