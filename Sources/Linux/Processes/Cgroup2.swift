import CLinux
import Glibc
import Synchronization

/// The cgroup 2 hierarchy, of a unified or a hybrid host. Its mount point is read from mountinfo, never assumed.
public enum Cgroup2 {
  /// Finds the directory of this process's cgroup.
  ///
  /// - Throws: `SystemError`; `ENOENT` when no cgroup 2 is mounted.
  public static func ownDirectory() throws(SystemError) -> String {
    let groups = String(decoding: try readFile("/proc/self/cgroup", limit: 64 << 10), as: UTF8.self)
    let mounts = try cgroupMounts()
    if let directory = directory(groups: groups, mounts: mounts) { return directory }
    guard let own = own(groups: groups), !mounts.isEmpty else {
      throw SystemError("find the mount of cgroup 2", errno: ENOENT)
    }
    throw SystemError(
      "find cgroup \(own) below a mount of cgroup 2 (mount it again under unshare -C -m)", errno: ENOENT)
  }

  /// Finds the mount point of cgroup 2.
  ///
  /// - Throws: `SystemError`; `ENOENT` when no cgroup 2 is mounted.
  public static func rootDirectory() throws(SystemError) -> String {
    guard let mount = try cgroupMounts().first else { throw SystemError("find the mount of cgroup 2", errno: ENOENT) }
    return mount.target
  }

  private static func cgroupMounts() throws(SystemError) -> [MountEntry] {
    try mounts.withLock { known throws(SystemError) in
      try known.entries(isThere: isMounted, read: { () throws(SystemError) in try MountInfo.read() })
    }
  }

  private static let mounts = Mutex(CgroupMounts())

  private static func isMounted(_ target: String) -> Bool {
    var system = statfs()
    return statfs(target, &system) == 0 && UInt(bitPattern: Int(system.f_type)) == 0x6367_7270  // CGROUP2_SUPER_MAGIC
  }

  /// `groups` is the content of /proc/PID/cgroup. Its line `0::PATH` is cgroup 2's; PATH is relative to the root of the cgroup namespace.
  static func directory(groups: String, mounts: [MountEntry]) -> String? {
    guard let own = own(groups: groups) else { return nil }
    for mount in mounts where mount.type == "cgroup2" {
      // The mount may show only a part of the hierarchy.
      let root = mount.root == "/" ? "" : mount.root
      guard own == root || own.hasPrefix(root + "/") else { continue }
      let below = own.dropFirst(root.count)
      // The cgroup is outside of the cgroup namespace, so the mount does not show it.
      if below == "/.." || below.hasPrefix("/../") { continue }
      let path = mount.target + below
      return path.hasSuffix("/") ? String(path.dropLast()) : path
    }
    return nil
  }

  private static func own(groups: String) -> Substring? {
    groups.split(separator: "\n").first { $0.hasPrefix("0::/") }?.dropFirst(3)
  }

  /// The cgroup of a process, relative to the root of this process's cgroup namespace: `/machine.slice/web.scope`.
  ///
  /// - Returns: nil when there is no such process, or it is in no cgroup 2.
  public static func path(ofProcess pid: Int32) -> String? {
    guard let groups = try? readFile("/proc/\(pid)/cgroup", limit: 64 << 10) else { return nil }
    return own(groups: String(decoding: groups, as: UTF8.self)).map(String.init)
  }

  /// Moves a process, with all of its threads, to the cgroup with this directory.
  ///
  /// The kernel may wait for an RCU grace period, tens of milliseconds on a busy machine, unless another process was moved shortly before.
  ///
  /// - Throws: `SystemError`; `ESRCH` when the process has ended.
  public static func move(_ pid: Int32, to directory: String) throws(SystemError) {
    let processes = directory + "/cgroup.procs"
    try write("\(pid)", to: open(processes, O_WRONLY), processes)
  }

  /// Lists the processes of one cgroup, without those of the cgroups below it.
  ///
  /// The result is empty for a threaded cgroup, whose cgroup.procs cannot be read (`EOPNOTSUPP`): the threaded domain above it lists its
  /// processes. A guest may make any of its cgroups threaded.
  ///
  /// - Throws: `SystemError`; `ENOENT` when the cgroup is gone.
  public static func processes(_ directory: String) throws(SystemError) -> [Int32] {
    let text: [UInt8]
    do throws(SystemError) {
      text = try readFile(directory + "/cgroup.procs", limit: 8 << 20)
    } catch {
      if error.errno == EOPNOTSUPP { return [] }
      throw error
    }
    return String(decoding: text, as: UTF8.self).split(separator: "\n").compactMap { Int32($0) }
  }

  /// Whether a thread of this cgroup is running, runnable, or in uninterruptible sleep. The cgroups below it do not count.
  ///
  /// - Throws: `SystemError`; `ENOENT` when the cgroup is gone.
  public static func isBusy(_ directory: String) throws(SystemError) -> Bool {
    let threads = try readFile(directory + "/cgroup.threads", limit: 1 << 20)
    return String(decoding: threads, as: UTF8.self).split(separator: "\n").contains { thread in
      // The state follows the name in parentheses, and the name may contain parentheses (proc_pid_stat(5)).
      guard let status = try? readFile("/proc/\(thread)/stat", limit: 4096) else { return false }
      let state = String(decoding: status, as: UTF8.self).split(separator: ")").last?.split(separator: " ").first
      return state == "R" || state == "D"
    }
  }

  /// Lists the cgroups below `directory`, the deepest first, and `directory` itself last.
  ///
  /// - Throws: `SystemError` when one cannot be listed.
  public static func tree(_ directory: String) throws(SystemError) -> [String] {
    var found = [directory]
    var next = 0
    while next < found.count {
      let parent = found[next]
      next += 1
      do throws(SystemError) {
        for name in try directoryEntries(parent) {
          let path = parent + "/" + name
          var status = stat()
          if lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR { found.append(path) }
        }
      } catch {
        // A guest removes its cgroups while they are listed.
        if error.errno != ENOENT || parent == directory { throw error }
      }
    }
    return found.reversed()
  }

  /// Whether processes are in the cgroup or below it: `populated` of cgroup.events.
  ///
  /// - Throws: `SystemError`; `ENOENT` when the cgroup is gone.
  public static func isPopulated(_ directory: String) throws(SystemError) -> Bool {
    has("populated 1", in: try readFile(directory + "/cgroup.events", limit: 4096))
  }

  /// An open `cgroup.events`.
  public final class Events {
    /// Polls as POLLPRI when the file may have changed, from its opening on, until `isPopulated()` or `isFrozen()` reads it.
    public let descriptor: OwnedFD

    public init(_ descriptor: consuming OwnedFD) { self.descriptor = descriptor }

    /// Whether processes are in the cgroup or below it.
    ///
    /// - Throws: `SystemError`; `ENODEV` when the cgroup is gone.
    public func isPopulated() throws(SystemError) -> Bool { try has("populated 1") }

    /// Whether every process in the cgroup and below it is frozen.
    ///
    /// - Throws: `SystemError`; `ENODEV` when the cgroup is gone.
    public func isFrozen() throws(SystemError) -> Bool { try has("frozen 1") }

    private func has(_ line: String) throws(SystemError) -> Bool {
      var text = [UInt8](repeating: 0, count: 4096)
      let count = try retrying("pread cgroup.events") { pread(descriptor.raw, &text, text.count, 0) }
      return Cgroup2.has(line, in: Array(text[..<count]))
    }
  }

  private static func has(_ line: String, in text: [UInt8]) -> Bool {
    String(decoding: text, as: UTF8.self).split(separator: "\n").contains { $0 == line }
  }

  /// Opens a cgroup's directory, or a file in it. `flags` are `O_RDONLY` or `O_WRONLY` of open(2).
  ///
  /// - Throws: `SystemError`; `ENOENT` when there is no such cgroup.
  public static func open(_ path: String, _ flags: Int32 = O_RDONLY) throws(SystemError) -> OwnedFD {
    OwnedFD(owning: try retrying("open \(path)") { Glibc.open(path, flags | O_CLOEXEC) })
  }

  /// Writes to an open file of a cgroup in one write(2), as the kernel requires. `path` names the file in an error.
  ///
  /// - Throws: `SystemError`; `ENODEV` when the cgroup is gone.
  public static func write(_ text: String, to file: borrowing OwnedFD, _ path: String) throws(SystemError) {
    let raw = file.raw
    let bytes = Array(text.utf8)
    try retrying("write \(path)") { Glibc.write(raw, bytes, bytes.count) }
  }
}
