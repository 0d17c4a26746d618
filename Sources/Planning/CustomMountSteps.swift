import GuestSpec

/// The mounts of `[Files]`.
struct CustomMountSteps {
  /// Opens the sources of all bind mounts.
  private(set) var opening: [Step] = []
  /// Attaches the mounts, before the guest's user namespace is entered.
  private(set) var before: [Step] = []
  /// Attaches the mounts in file systems that only the first process can mount, such as /proc.
  private(set) var after: [Step] = []
  /// Whether a setting of [Files] mounts something on /sys itself.
  let coversSys: Bool

  init(
    _ guest: Guest, _ facts: StartFacts, _ slots: inout Slots, _ scratch: inout Scratch
  ) throws(PlanError) {
    coversSys = guest.files.mounts.contains { $0.names == ["sys"] }
    // A mount covers what is below it, so shorter paths come first, whatever the order in the file.
    let sorted = guest.files.mounts.enumerated().sorted { first, second in
      let (one, other) = (first.element.depth, second.element.depth)
      return one == other ? first.offset < second.offset : one < other
    }
    for (_, mount) in sorted {
      let attaching = try attach(mount, facts, &slots, &scratch)
      if mount.isInOwn { after += attaching } else { before += attaching }
    }
  }

  /// Opens what one mount needs, and returns the steps that attach it after the switch.
  private mutating func attach(
    _ mount: CustomMount, _ facts: StartFacts, _ slots: inout Slots, _ scratch: inout Scratch
  ) throws(PlanError) -> [Step] {
    switch mount {
    case .bind(var source, let destination, let readOnly, let recursive, let optional, let owners):
      if source.isEmpty {
        let directory = try scratch.directory(for: destination)
        opening.append(directory.making)
        source = directory.path
      }
      let opened = slots.open(source, readOnly ? .readOnly : [], recursive: recursive, optional: optional)
      opening.append(opened.opening)
      // A new scratch directory belongs to the guest already.
      if !scratch.contains(source), let namespace = Self.namespace(owners, of: destination, facts, slots) {
        opening.append(opened.mapped(by: namespace, recursive: recursive))
      }
      return [opened.attached(at: destination)]
    case .bindOwn(let source, let destination, let readOnly, let recursive, let optional):
      return [
        .bindOwn(
          source: source, target: destination, attributes: readOnly ? .readOnly : [], recursive: recursive,
          optional: optional)
      ]
    case .overlay(let layers, let destination, let readOnly):
      let overlay = try OverlaySteps(layers, at: destination, readOnly: readOnly, &slots, &scratch)
      opening += overlay.opening
      return overlay.mounting
    case .temporaryFileSystem(let path, let text):
      let options = MountOptions(parsing: text, defaults: [.noDevices, .strictAccessTime])
      let mode = options.data.split(separator: ",").contains { $0.hasPrefix("mode=") } ? "" : "mode=0755"
      let data = [mode, GuestTmpfs(facts.users).options(options.data)].filter { !$0.isEmpty }
      return [
        .makeDirectory(path: path, mode: 0o755),
        .mount(type: "tmpfs", target: path, flags: options.flags, data: data.joined(separator: ","), optional: false),
      ]
    case .inaccessible(let path):
      return [.mask(path: path, optional: false)]
    }
  }

  /// The slot of the user namespace that maps the owners of the files of a bind mount; nil where they are not mapped.
  private static func namespace(
    _ owners: BindOwners, of destination: String, _ facts: StartFacts, _ slots: Slots
  ) -> Int? {
    switch owners {
    case .noidmap: nil
    case .idmap: slots.slot(of: .users)
    case .rootidmap, .owneridmap: facts.bindMaps[destination].flatMap { slots.slot(of: .mapping($0)) }
    }
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

  /// The names in the path.
  fileprivate var names: [Substring] { target.split(separator: "/") }

  /// The number of names in the path.
  fileprivate var depth: Int { names.count }

  /// Whether the path lies in a file system of `SystemMountSteps.proc` or `.own`.
  fileprivate var isInOwn: Bool {
    ["/proc/", "/sys/fs/cgroup/", "/dev/mqueue/"].contains { (target + "/").hasPrefix($0) }
  }
}
