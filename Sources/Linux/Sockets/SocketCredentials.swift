import CLinux
import Glibc

/// Who is at the other end of an AF_UNIX socket, as the kernel vouches for it (unix(7)).
public struct SocketCredentials: Equatable, Sendable {
  /// In the PID namespace of the process that reads it; 0 when the sender has no number there.
  public var pid: Int32
  /// In the user namespace of the process that reads it.
  public var uid: UInt32
  /// As `uid`.
  public var gid: UInt32

  public init(pid: Int32, uid: UInt32, gid: UInt32) {
    self.pid = pid
    self.uid = uid
    self.gid = gid
  }

  /// What a datagram without credentials gets: nobody.
  static let nobody = SocketCredentials(pid: 0, uid: .max, gid: .max)
}

/// Whether two pidfds name the same process, for ever: also when one of them has ended and its number was given away.
///
/// Nil before Linux 6.9, where a pidfd's inode says nothing; then compare the numbers, which is safe as long as the
/// process one compares with has not been waited for.
public func isSameProcess(_ one: borrowing OwnedFD, _ other: borrowing OwnedFD) -> Bool? {
  guard let first = pidfsInode(one), let second = pidfsInode(other) else { return nil }
  return first == second
}

private func pidfsInode(_ pidfd: borrowing OwnedFD) -> UInt64? {
  var system = statfs()
  var status = stat()
  guard fstatfs(pidfd.raw, &system) == 0, system.f_type == LINUX_PIDFS_MAGIC,
    fstat(pidfd.raw, &status) == 0
  else { return nil }
  return UInt64(status.st_ino)
}
