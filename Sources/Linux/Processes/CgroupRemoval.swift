import Glibc

extension Cgroup2 {
  /// Removes a cgroup and those below it. That it is gone already is no error.
  ///
  /// It uses descriptors and goes one level at a time: a guest can nest its cgroups deeper than a path can name.
  ///
  /// - Throws: `SystemError`; `EBUSY` when processes are in one of them.
  public static func remove(_ directory: String) throws(SystemError) {
    // Most cgroups have none below them, and then no descriptor is needed.
    if rmdir(directory) == 0 || errno == ENOENT { return }
    var current = try open(directory, O_RDONLY | O_DIRECTORY)
    // The cgroups still to remove at each level from `directory` to `current`, and the names on the way from one to the other.
    var pending = [try directories(in: current)]
    var names: [String] = []
    while let rest = pending.indices.last {
      if let name = pending[rest].popLast() {
        if removeEmpty(name, in: current) { continue }
        current = try enter(name, from: current)
        pending.append(try directories(in: current))
        names.append(name)
      } else {
        pending.removeLast()
        guard let name = names.popLast() else { break }
        current = try enter("..", from: current)
        if !removeEmpty(name, in: current) { throw SystemError("rmdir \(name) in \(directory)", errno: errno) }
      }
    }
    if rmdir(directory) == -1 && errno != ENOENT { throw SystemError("rmdir \(directory)", errno: errno) }
  }

  /// Removes a cgroup that has none below it.
  ///
  /// - Returns: false when it is still there.
  private static func removeEmpty(_ name: String, in directory: borrowing OwnedFD) -> Bool {
    unlinkat(directory.raw, name, AT_REMOVEDIR) == 0 || errno == ENOENT
  }

  private static func enter(_ name: String, from directory: borrowing OwnedFD) throws(SystemError) -> OwnedFD {
    let raw = directory.raw
    return OwnedFD(
      owning: try retrying("open the cgroup \(name)") {
        openat(raw, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      })
  }

  private static func directories(in directory: borrowing OwnedFD) throws(SystemError) -> [String] {
    let copy = try enter(".", from: directory).release()
    guard let stream = fdopendir(copy) else {
      let error = SystemError("fdopendir", errno: errno)
      close(copy)
      throw error
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = try nextEntry(of: stream, "a cgroup") {
      guard Int32(entry.pointee.d_type) == Int32(DT_DIR) else { continue }
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      if name != "." && name != ".." { names.append(name) }
    }
    return names
  }
}
