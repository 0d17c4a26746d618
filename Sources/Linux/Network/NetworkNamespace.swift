import CLinux
import Glibc

/// Network namespaces, referred to by descriptor: network_namespaces(7).
public enum NetworkNamespace {
  /// Opens the network namespace of the calling thread.
  ///
  /// - Throws: `SystemError` of open(2).
  public static func own() throws(SystemError) -> OwnedFD {
    let path = "/proc/thread-self/ns/net"
    return OwnedFD(owning: try retrying("open \(path)") { Glibc.open(path, O_RDONLY | O_CLOEXEC) })
  }

  /// Opens the network namespace at `path`: one that `ip netns add` made, or a process's /proc/PID/ns/net.
  ///
  /// - Throws: `SystemError`; `ENOENT` when nothing is there, `EINVAL` when it is something else.
  public static func open(_ path: String) throws(SystemError) -> OwnedFD {
    // O_PATH first, because opening anything else has effects: a FIFO blocks, a device may act.
    let place = try SafePath(path).takeDescriptor()
    var status = statfs()
    let raw = place.raw
    try retrying("statfs \(path)") { fstatfs(raw, &status) }
    guard Int(status.f_type) == LINUX_NSFS_MAGIC else { throw notOne(path) }
    let opened = OwnedFD(
      owning: try retrying("open \(path)") { Glibc.open("/proc/self/fd/\(raw)", O_RDONLY | O_CLOEXEC) })
    guard linux_namespace_type(opened.raw) == LINUX_CLONE_NEWNET else { throw notOne(path) }
    return opened
  }

  private static func notOne(_ path: String) -> SystemError {
    SystemError("open \(path) (not a network namespace)", errno: EINVAL)
  }

  /// Keeps `namespace` alive without a process in it, by a mount on the new file `path`, as `ip netns attach` does.
  ///
  /// - Throws: `SystemError` of open(2) or mount(2).
  public static func pin(_ namespace: borrowing OwnedFD, at path: String) throws(SystemError) {
    unpin(path)
    try writeFile(path, "")
    let raw = namespace.raw
    do throws(SystemError) {
      try retrying("mount \(path)") { mount("/proc/self/fd/\(raw)", path, nil, UInt(MS_BIND), nil) }
    } catch {
      removeFile(path)
      throw error
    }
  }

  /// Undoes `pin`. That nothing is pinned is no error.
  public static func unpin(_ path: String) {
    umount2(path, Int32(MNT_DETACH))
    removeFile(path)
  }
}
