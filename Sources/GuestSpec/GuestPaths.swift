/// Predicts, before a guest runs, which file of the host will be at a path of the guest, from `Directory=`, `Volatile=` and the
/// mounts of `[Files]`. The path must not contain symbolic links: following them needs the disk, and is the caller's task.
public struct GuestPaths: Equatable, Sendable {
  /// What is at a path of the guest.
  public enum Place: Equatable, Sendable {
    /// The file `below` in the directory `root` of the host; an empty `below` stands for `root` itself.
    case host(root: String, below: String)
    /// As `host`, but only where that is a symbolic link: `Volatile=yes` copies the symbolic links at the top of the root
    /// (`/bin`), and nothing else.
    case link(root: String, below: String)
    /// A new file system, which is empty when the guest starts.
    case nothing
  }

  private enum Source: Equatable {
    case host(String)
    case links(String)
    case nothing
  }

  private struct Mount: Equatable {
    var destination: [Substring]
    var source: Source
  }

  /// The mounts in the order in which they are made.
  private var mounts: [Mount] = []

  /// Starts with the guest's root, before the mounts of `[Files]`.
  public init(directory: String, volatile: Volatile) {
    switch volatile {
    case .no, .overlay:
      add("/", .host(directory))
    case .state:
      add("/", .host(directory))
      add("/var", .nothing)
    case .yes:
      add("/", .links(directory))
      add("/usr", .host(directory == "/" ? "/usr" : directory + "/usr"))
    }
    for fresh in ["/dev", "/proc", "/run", "/sys", "/tmp"] { add(fresh, .nothing) }
  }

  /// Adds a mount of a file or directory of the host, or with nil of something empty. `destination` must not contain symbolic
  /// links.
  public mutating func mount(_ source: String?, at destination: String) {
    add(destination, source.map(Source.host) ?? .nothing)
  }

  private mutating func add(_ destination: String, _ source: Source) {
    mounts.append(Mount(destination: destination.split(separator: "/"), source: source))
  }

  /// Returns what is at a path. The deepest mount decides; of two mounts on one directory the later.
  public func place(of path: String) -> Place {
    let names = path.split(separator: "/")
    var best: Mount?
    for mount in mounts where names.starts(with: mount.destination) {
      if mount.destination.count >= best?.destination.count ?? 0 { best = mount }
    }
    guard let best else { return .nothing }
    let rest = names.dropFirst(best.destination.count)
    let below = rest.joined(separator: "/")
    switch best.source {
    case .nothing: return .nothing
    case .host(let root): return .host(root: root, below: below)
    case .links(let root): return rest.count == 1 ? .link(root: root, below: below) : .nothing
    }
  }

  /// The names of the mount points directly in a directory. They need not exist in the directory of the host that is mounted there.
  public func mountPoints(in directory: String) -> [String] {
    let names = directory.split(separator: "/")
    return mounts.compactMap { mount in
      guard mount.destination.count == names.count + 1, mount.destination.starts(with: names) else { return nil }
      return mount.destination.last.map(String.init)
    }
  }
}

extension FilesSettings {
  /// The mounts from the shallowest to the deepest: a mount hides what is below it, so it must come before mounts below it.
  public var mountsByDepth: [CustomMount] {
    let depths = mounts.map { $0.destination.split(separator: "/").count }
    return mounts.indices.sorted { (depths[$0], $0) < (depths[$1], $1) }.map { mounts[$0] }
  }
}

extension CustomMount {
  /// The mount point in the guest, as in the guest file.
  public var destination: String {
    switch self {
    case .bind(_, let destination, _, _, _, _), .bindOwn(_, let destination, _, _, _), .overlay(_, let destination, _):
      destination
    case .temporaryFileSystem(let path, _), .inaccessible(let path): path
    }
  }
}
