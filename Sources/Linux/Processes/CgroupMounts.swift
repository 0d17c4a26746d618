/// The mounts of cgroup 2. A host may have thousands of mounts, and each start of a guest changes their table. So the table is read once, and
/// again only when a mount that was found is gone.
struct CgroupMounts {
  private var known: [MountEntry] = []

  /// - Parameters:
  ///   - isThere: whether cgroup 2 is still mounted on a directory.
  ///   - read: reads the table of all mounts.
  /// - Returns: the mounts of cgroup 2; empty when there is none.
  /// - Throws: what `read` throws.
  mutating func entries(
    isThere: (String) -> Bool, read: () throws(SystemError) -> [MountEntry]
  ) throws(SystemError) -> [MountEntry] {
    if known.isEmpty || !known.allSatisfy({ isThere($0.target) }) {
      known = try read().filter { $0.type == "cgroup2" }
    }
    return known
  }
}
