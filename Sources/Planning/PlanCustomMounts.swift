import GuestSpec

extension FilesSettings {
  /// Whether some `Bind=:/path` or `Overlay=/path::/path` needs a scratch directory.
  var needsScratch: Bool {
    mounts.contains { mount in
      switch mount {
      case .bind(let source, _, _, _, _, _): source.isEmpty
      case .overlay(let layers, _, _): layers.last == .temporary
      case .bindOwn, .temporaryFileSystem, .inaccessible: false
      }
    }
  }
}

/// The mounts of `[Files]`.
extension PlanBuilder {
  /// Opens the sources of all bind mounts, and returns the steps that attach them after the switch. Those of `after` lie in file systems
  /// that only the first process can mount, such as /proc.
  mutating func openCustomMounts() throws(PlanError) -> (before: [Step], after: [Step]) {
    // A mount covers what is below it, so shorter paths come first, whatever the order in the file.
    let sorted = guest.files.mounts.enumerated().sorted { first, second in
      let (one, other) = (first.element.depth, second.element.depth)
      return one == other ? first.offset < second.offset : one < other
    }
    var (before, after): ([Step], [Step]) = ([], [])
    for (_, mount) in sorted {
      var result: [Step] = []
      switch mount {
      case .bind(let source, let destination, let readOnly, let recursive, let optional, let owners):
        var source = source
        if source.isEmpty {
          source = try scratchDirectory(for: destination)
        }
        let slot = open(source, readOnly ? .readOnly : [], recursive: recursive, optional: optional)
        mapBind(slot, source, owners, to: destination, recursive: recursive)
        result.append(.attach(slot: slot, source: source, target: destination))
      case .bindOwn(let source, let destination, let readOnly, let recursive, let optional):
        result.append(
          .bindOwn(
            source: source, target: destination, attributes: readOnly ? .readOnly : [], recursive: recursive,
            optional: optional))
      case .overlay(let layers, let destination, let readOnly):
        result += try overlay(layers, at: destination, readOnly: readOnly)
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
  /// The path in the guest.
  private var target: String {
    switch self {
    case .bind(_, let destination, _, _, _, _), .bindOwn(_, let destination, _, _, _), .overlay(_, let destination, _):
      destination
    case .temporaryFileSystem(let path, _), .inaccessible(let path): path
    }
  }

  /// The number of names in the path.
  fileprivate var depth: Int { target.split(separator: "/").count }

  /// Whether the path lies in a file system of `mountProc` or `mountOwn`.
  fileprivate var isInOwn: Bool {
    ["/proc/", "/sys/fs/cgroup/", "/dev/mqueue/"].contains { (target + "/").hasPrefix($0) }
  }
}
