import CLinux
import Glibc

/// The process at the other end of an AF_UNIX socket, which the kernel attests (unix(7)).
public struct SocketCredentials: Equatable, Sendable {
  /// The process's number in the reader's PID namespace; 0 when it has none there.
  public var pid: Int32
  /// The process's user in the reader's user namespace.
  public var uid: UInt32
  /// The process's group in the reader's user namespace.
  public var gid: UInt32

  public init(pid: Int32, uid: UInt32, gid: UInt32) {
    self.pid = pid
    self.uid = uid
    self.gid = gid
  }

  /// The sender of a datagram that has no credentials.
  static let nobody = SocketCredentials(pid: 0, uid: .max, gid: .max)
}

/// Whether two pidfds refer to the same process, even if it has exited and its number was reused.
///
/// Nil before Linux 6.9, where the inode of a pidfd does not identify the process. Compare the numbers then, which is safe as long as the
/// process has not been reaped.
func isSameProcess(_ one: borrowing OwnedFD, _ other: borrowing OwnedFD) -> Bool? {
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
