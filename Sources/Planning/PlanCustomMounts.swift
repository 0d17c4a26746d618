import GuestSpec

extension FilesSettings {
  /// Whether some `Bind=:/path` needs a fresh directory of the host.
  public var needsScratch: Bool {
    mounts.contains {
      if case .bind("", _, _, _, _, _) = $0 { true } else { false }
    }
  }
}

/// `[Files]`: what this guest has besides.
extension PlanBuilder {
  /// Opens the sources of all binds, and returns the steps that attach them after the switch: `before` and `after` the file
  /// systems are mounted that only the first process can mount.
  mutating func openCustomMounts() throws(PlanError) -> (before: [Step], after: [Step]) {
    // A mount hides what is below it: the shorter path comes first, whatever order they were written in.
    let sorted = guest.files.mounts.enumerated().sorted { first, second in
      let (one, other) = (first.element.depth, second.element.depth)
      return one == other ? first.offset < second.offset : one < other
    }
    var (before, after): ([Step], [Step]) = ([], [])
    var scratchCount = 0
    for (_, mount) in sorted {
      var result: [Step] = []
      switch mount {
      case .bind(let source, let destination, let readOnly, let recursive, let optional, let owners):
        var source = source
        if source.isEmpty {
          guard let scratch = facts.scratch else { throw .noScratchDirectory(destination: destination) }
          source = "\(scratch)/\(scratchCount)"
          scratchCount += 1
          steps.append(.makeDirectory(path: source, mode: 0o755))
        }
        let slot = open(source, readOnly ? .readOnly : [], recursive: recursive, optional: optional)
        mapBind(slot, source, owners, to: destination, recursive: recursive)
        result.append(.attach(slot: slot, source: source, target: destination))
      case .temporaryFileSystem(let path, let text):
        let options = MountOptions(parsing: text, defaults: [.noDevices, .strictAccessTime])
        let data = options.data.split(separator: ",").contains { $0.hasPrefix("mode=") } ? "" : "mode=0755"
        result.append(.makeDirectory(path: path, mode: 0o755))
        result.append(
          .mount(
            type: "tmpfs", target: path, flags: options.flags,
            data: [data, ownedByGuest(options.data)].filter { !$0.isEmpty }.joined(separator: ","), optional: false))
      case .inaccessible(let path):
        result.append(.mask(path: path, optional: false))
      }
      if mount.isInOwn { after += result } else { before += result }
    }
    return (before, after)
  }
}

extension CustomMount {
  /// The place in the guest.
  private var target: String {
    switch self {
    case .bind(_, let destination, _, _, _, _): destination
    case .temporaryFileSystem(let path, _), .inaccessible(let path): path
    }
  }

  /// How many names it has.
  fileprivate var depth: Int { target.split(separator: "/").count }

  /// Whether it lies in one of the file systems that show the first process's namespaces.
  fileprivate var isInOwn: Bool {
    ["/proc/", "/sys/fs/cgroup/", "/dev/mqueue/"].contains { (target + "/").hasPrefix($0) }
  }
}
