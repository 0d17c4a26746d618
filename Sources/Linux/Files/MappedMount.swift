import CLinux
import Glibc

/// Tries whether the mount at `path` can be had with its files' owners translated by a user namespace, and leaves nothing of it.
///
/// - Parameters:
///   - path: of the mount, or of a directory in it.
///   - users: the user namespace.
///   - recursive: with all mounts below it.
/// - Throws: `SystemError`; `EINVAL` or `EOPNOTSUPP` when the kernel or one of the file systems cannot do it.
public func tryMapping(_ path: String, by users: borrowing OwnedFD, recursive: Bool) throws(SystemError) {
  let users = users.raw
  let mount = try cloneMount(at: path, recursive: recursive)
  let raw = mount.raw
  try retrying("mount_setattr \(path)") { linux_map_mount(raw, users, recursive ? 1 : 0) }
}
