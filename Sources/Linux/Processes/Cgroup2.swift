import CLinux
import Glibc

/// cgroup 2: pure, or the unified half of a hybrid host. Where it is mounted is looked up, never assumed.
public enum Cgroup2 {
  /// The directory of the cgroup that this process is in.
  ///
  /// - Throws: `SystemError`; `ENOENT` when no cgroup 2 is mounted.
  public static func ownDirectory() throws(SystemError) -> String {
    let groups = String(decoding: try readFile("/proc/self/cgroup", limit: 64 << 10), as: UTF8.self)
    let mounts = try MountInfo.read()
    if let directory = directory(groups: groups, mounts: mounts) { return directory }
    guard let own = own(groups: groups), mounts.contains(where: { $0.type == "cgroup2" }) else {
      throw SystemError("find the mount of cgroup 2", errno: ENOENT)
    }
    throw SystemError(
      "find cgroup \(own) in what is mounted of cgroup 2 (mount it anew under unshare -C -m)", errno: ENOENT)
  }

  /// The directory of the root of what this process sees of cgroup 2.
  ///
  /// - Throws: `SystemError`; `ENOENT` when no cgroup 2 is mounted.
  public static func rootDirectory() throws(SystemError) -> String {
    guard let mount = try MountInfo.read().first(where: { $0.type == "cgroup2" }) else {
      throw SystemError("find the mount of cgroup 2", errno: ENOENT)
    }
    return mount.target
  }

  /// `groups` as in /proc/PID/cgroup: the line `0::PATH` is cgroup 2's, PATH counted from the root of the hierarchy.
  static func directory(groups: String, mounts: [MountEntry]) -> String? {
    guard let own = own(groups: groups) else { return nil }
    for mount in mounts where mount.type == "cgroup2" {
      // What is mounted may be a part of the hierarchy only.
      let root = mount.root == "/" ? "" : mount.root
      guard own == root || own.hasPrefix(root + "/") else { continue }
      let below = own.dropFirst(root.count)
      // Outside of the cgroup namespace, and of the mount: in a directory that is another one.
      if below == "/.." || below.hasPrefix("/../") { continue }
      let path = mount.target + below
      return path.hasSuffix("/") ? String(path.dropLast()) : path
    }
    return nil
  }

  private static func own(groups: String) -> Substring? {
    groups.split(separator: "\n").first { $0.hasPrefix("0::/") }?.dropFirst(3)
  }

  /// The processes of one cgroup, without those of the cgroups below it.
  ///
  /// - Throws: `SystemError`; `ENOENT` when it is gone.
  public static func processes(_ directory: String) throws(SystemError) -> [Int32] {
    let text = try readFile(directory + "/cgroup.procs", limit: 8 << 20)
    return String(decoding: text, as: UTF8.self).split(separator: "\n").compactMap { Int32($0) }
  }

  /// Whether a thread of this cgroup runs, or would if a processor were free, or waits for a disk. Not of those below it.
  ///
  /// - Throws: `SystemError`; `ENOENT` when it is gone.
  public static func isBusy(_ directory: String) throws(SystemError) -> Bool {
    let threads = try readFile(directory + "/cgroup.threads", limit: 1 << 20)
    return String(decoding: threads, as: UTF8.self).split(separator: "\n").contains { thread in
      // proc_pid_stat(5): the state stands behind the name, which may have parentheses of its own.
      guard let status = try? readFile("/proc/\(thread)/stat", limit: 4096) else { return false }
      let state = String(decoding: status, as: UTF8.self).split(separator: ")").last?.split(separator: " ").first
      return state == "R" || state == "D"
    }
  }

  /// The cgroups below `directory`, those that lie deeper first; `directory` itself is the last.
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
  /// - Throws: `SystemError`; `ENOENT` when it is gone.
  public static func isPopulated(_ directory: String) throws(SystemError) -> Bool {
    has("populated 1", in: try readFile(directory + "/cgroup.events", limit: 4096))
  }

  /// An open `cgroup.events`.
  public final class Events {
    /// Polls as POLLPRI when something may have changed, from the opening on, until `isPopulated()` has read it.
    public let descriptor: OwnedFD

    public init(_ descriptor: consuming OwnedFD) { self.descriptor = descriptor }

    /// - Throws: `SystemError`; `ENODEV` when the cgroup is gone.
    public func isPopulated() throws(SystemError) -> Bool { try has("populated 1") }

    /// Whether every process in it, and below it, stands still.
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

  /// Opens a cgroup's directory, or a file in it; `flags` are open(2)'s `O_RDONLY` or `O_WRONLY`.
  ///
  /// - Throws: `SystemError`; `ENOENT` when the cgroup is gone, or is none.
  public static func open(_ path: String, _ flags: Int32 = O_RDONLY) throws(SystemError) -> OwnedFD {
    OwnedFD(owning: try retrying("open \(path)") { Glibc.open(path, flags | O_CLOEXEC) })
  }

  /// Writes to an open file of a cgroup in one write(2), as the kernel wants it; `path` is named in an error.
  ///
  /// - Throws: `SystemError`; `ENODEV` when the cgroup is gone.
  public static func write(_ text: String, to file: borrowing OwnedFD, _ path: String) throws(SystemError) {
    let raw = file.raw
    let bytes = Array(text.utf8)
    try retrying("write \(path)") { Glibc.write(raw, bytes, bytes.count) }
  }
}
