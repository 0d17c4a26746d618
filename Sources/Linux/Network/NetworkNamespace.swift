import CLinux
import Glibc

/// Network namespaces by descriptor: network_namespaces(7).
public enum NetworkNamespace {
  /// The namespace of the calling thread.
  ///
  /// - Throws: `SystemError` of open(2).
  public static func own() throws(SystemError) -> OwnedFD {
    let path = "/proc/thread-self/ns/net"
    return OwnedFD(owning: try retrying("open \(path)") { Glibc.open(path, O_RDONLY | O_CLOEXEC) })
  }

  /// The namespace at `path`: one that `ip netns add` made, or a process's /proc/PID/ns/net.
  ///
  /// - Throws: `SystemError` when nothing is there, or something else (`EINVAL`).
  public static func open(_ path: String) throws(SystemError) -> OwnedFD {
    // What is no namespace is not opened: a FIFO would wait, a device would do something.
    let place = OwnedFD(owning: try retrying("open \(path)") { Glibc.open(path, LINUX_O_PATH | O_CLOEXEC) })
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

  /// Runs `body` in `namespace`. What makes a socket belong there is where its thread is at socket(2), so that is what `body`
  /// should be, and nothing else.
  ///
  /// - Throws: `SystemError` of setns(2), or what `body` throws.
  static func inside<Result>(
    _ namespace: borrowing OwnedFD, _ body: () throws(SystemError) -> Result
  ) throws(SystemError) -> Result {
    let home = try own()
    let (away, back) = (namespace.raw, home.raw)
    try retrying("setns CLONE_NEWNET") { setns(away, LINUX_CLONE_NEWNET) }
    defer {
      // Whoever may go there may come back. A process left in a guest's network must not go on.
      if setns(back, LINUX_CLONE_NEWNET) != 0 { fatalError("cannot go back to the host's network: errno \(errno)") }
    }
    return try body()
  }

  /// Keeps `namespace` alive by a mount at `path`, a new file, as `ip netns attach` does: also when no process is left in it.
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

  /// Undoes `pin`; there need be nothing.
  public static func unpin(_ path: String) {
    umount2(path, Int32(MNT_DETACH))
    removeFile(path)
  }
}
