/// Which file of the host a path of the guest will be, before there is a guest: what `Directory=`, `Volatile=` and the
/// mounts of `[Files]` make of a path without symbolic links in it. Following links needs the disk, and is for who
/// asks.
public struct GuestPaths: Equatable, Sendable {
  /// What lies at a path of the guest.
  public enum Place: Equatable, Sendable {
    /// The file `below` in the directory `root` of the host; with an empty `below` it is `root` itself.
    case host(root: String, below: String)
    /// As `host`, but only if that is a symbolic link: `Volatile=yes` makes the links of the root anew (`/bin`) and
    /// nothing else of it.
    case link(root: String, below: String)
    /// A fresh file system, empty when the guest starts.
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

  /// In the order in which they are mounted.
  private var mounts: [Mount] = []

  /// The root without the mounts of `[Files]`.
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

  /// Mounts a file or directory of the host, or with nil something empty, on `destination`, which has no symbolic link
  /// in it.
  public mutating func mount(_ source: String?, at destination: String) {
    add(destination, source.map(Source.host) ?? .nothing)
  }

  private mutating func add(_ destination: String, _ source: Source) {
    mounts.append(Mount(destination: destination.split(separator: "/"), source: source))
  }

  /// The deepest mount decides, of two in one place the later.
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

  /// The mount points directly in a directory, which need not be in the host's directory that is there.
  public func mountPoints(in directory: String) -> [String] {
    let names = directory.split(separator: "/")
    return mounts.compactMap { mount in
      guard mount.destination.count == names.count + 1, mount.destination.starts(with: names) else { return nil }
      return mount.destination.last.map(String.init)
    }
  }
}

extension FilesSettings {
  /// The mounts in the order of their depth: a mount hides what is below it, so the shorter path comes first.
  public var mountsByDepth: [CustomMount] {
    let depths = mounts.map { $0.destination.split(separator: "/").count }
    return mounts.indices.sorted { (depths[$0], $0) < (depths[$1], $1) }.map { mounts[$0] }
  }
}

extension CustomMount {
  /// The place in the guest, as it was written.
  public var destination: String {
    switch self {
    case .bind(_, let destination, _, _, _, _), .bindOwn(_, let destination, _, _, _), .overlay(_, let destination, _):
      destination
    case .temporaryFileSystem(let path, _), .inaccessible(let path): path
    }
  }
}

extension Guest {
  /// The root's directory on the host.
  public var rootDirectory: String { policy.directory ?? "/var/lib/machines/\(name)" }
}
