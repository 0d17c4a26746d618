import CLinux
import Glibc

/// Tests whether the mount at `path` can be ID-mapped by a user namespace. Nothing is changed.
///
/// - Parameters:
///   - path: the mount, or a directory in it.
///   - users: the user namespace.
///   - recursive: whether all mounts below it are tested too.
/// - Throws: `SystemError`; `EINVAL` or `EOPNOTSUPP` when the kernel or one of the file systems does not support it.
public func tryMapping(_ path: String, by users: borrowing OwnedFD, recursive: Bool) throws(SystemError) {
  let users = users.raw
  let mount = try cloneMount(at: path, recursive: recursive)
  let raw = mount.raw
  try retrying("mount_setattr \(path)") { linux_map_mount(raw, users, recursive ? 1 : 0) }
}
