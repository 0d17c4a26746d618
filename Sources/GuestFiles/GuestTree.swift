import Glibc
import GuestSpec
import Linux
import UnitSyntax

/// A guest's root as its PID 1 will see it, read on the host while the guest does not run. Paths are the guest's.
///
/// The tree is not to be trusted, for the guest can write to it. So symbolic links are followed name by name, and absolute ones from the
/// guest's root: none leads out of it. Only regular files are opened, because open(2) might wait for others.
struct GuestTree: FileTree {
  private var paths: GuestPaths
  /// A search looks up many names in few directories, and would spend most of its time on resolving the same directories again.
  private let directories = Directories()

  /// The paths of directories without symbolic links.
  private final class Directories {
    var resolved: [Substring: [String]] = [:]
  }

  private let effort = Effort()

  /// How much more one search may read. A guest can fill its tree with units without end, and the daemon does nothing else during a search.
  private final class Effort {
    private var looks = GuestTree.lookLimit
    private var bytes = GuestTree.byteLimit
    /// The first limit that was exceeded, in words.
    private(set) var excess: String?

    /// - Throws: `SystemError` with `E2BIG` when it is used up.
    func spend(on path: String, bytes count: Int = 0) throws(SystemError) {
      looks -= 1
      bytes -= count
      if looks < 0 { throw exceed("\(path) is beyond the \(GuestTree.lookLimit) files of one search", path) }
      if bytes < 0 { throw exceed("\(path) is beyond the \(GuestTree.byteLimit >> 10) KiB of one search", path) }
    }

    func exceed(_ words: String, _ path: String) -> SystemError {
      excess = excess ?? words
      return SystemError("read \(path)", errno: E2BIG)
    }
  }

  /// The limits of one search. That of a small Debian system takes some 2,500 looks at files and names.
  static let lookLimit = 8192
  static let byteLimit = 256 << 10
  /// The most bytes of a single unit file.
  static let unitFileLimit = 64 << 10
  /// The most names in one directory.
  static let entryLimit = 1000

  /// Which limit was exceeded, in words; then a unit that was not found may exist all the same. Nil when all was read.
  var excess: String? { effort.excess }

  /// The kernel follows as many links in one path.
  private static let linkLimit = 40

  init(_ guest: Guest) {
    paths = GuestPaths(directory: guest.rootDirectory, volatile: guest.files.volatile)
    for mount in guest.files.mountsByDepth {
      // The mounts above come first: the path of this one may lead through a symbolic link in one of them.
      guard let destination = try? canonical(mount.destination) else { continue }
      switch mount {
      case .bind(let source, _, _, _, let optional, _):
        if optional, (try? FileStatus(source, followingLinks: true)) == nil { continue }
        paths.mount(source.isEmpty ? nil : source, at: destination)
      case .bindOwn(let source, _, _, _, _):
        if case .host(let root, let below) = paths.place(of: source) {
          paths.mount("\(root)/\(below)", at: destination)
        }
      case .overlay(let layers, _, _):
        // The uppermost layer of the host's. With a layer of the guest's own, what the guest has at this path stays visible.
        for case .host(let path) in layers.reversed() where !layers.contains(.own(mount.destination)) {
          paths.mount(path, at: destination)
          break
        }
      case .temporaryFileSystem, .inaccessible:
        paths.mount(nil, at: destination)
      }
      directories.resolved = [:]
    }
  }

  /// Resolves the symbolic links of a path. The part of it that does not exist stays as it is.
  ///
  /// - Throws: `SystemError`; `ELOOP` after too many links.
  func canonical(_ path: String) throws(SystemError) -> String {
    guard let slash = path.lastIndex(of: "/") else { throw SystemError("open \(path)", errno: ENOENT) }
    let parent = path[..<slash]
    var resolved = directories.resolved[parent] ?? []
    if resolved.isEmpty {
      resolved = try resolve(parent, from: [])
      directories.resolved[parent] = resolved
    }
    return "/" + (try resolve(path[slash...], from: resolved)).joined(separator: "/")
  }

  /// Resolves `path` from a directory whose own path has no symbolic links.
  private func resolve(_ path: Substring, from start: [String]) throws(SystemError) -> [String] {
    var pending = path.split(separator: "/").map(String.init)[...]
    var resolved = start
    var links = 0
    while let name = pending.popFirst() {
      if name == "." { continue }
      if name == ".." {
        _ = resolved.popLast()
        continue
      }
      guard let target = try link(at: "/" + (resolved + [name]).joined(separator: "/")) else {
        resolved.append(name)
        continue
      }
      links += 1
      if links > Self.linkLimit { throw SystemError("open \(path)", errno: ELOOP) }
      if target.hasPrefix("/") { resolved = [] }
      pending = target.split(separator: "/").map(String.init) + pending
    }
    return resolved
  }

  /// The target of the symbolic link at a path. Nil when there is none. The other parts of the path are no links.
  private func link(at path: String) throws(SystemError) -> String? {
    switch paths.place(of: path) {
    case .nothing, .host(_, ""): return nil
    case .host(let root, let below), .link(let root, let below):
      try effort.spend(on: path)
      let file = "\(root)/\(below)"
      guard let status = try? FileStatus(file, followingLinks: false), status.kind == .symbolicLink else { return nil }
      return try readLink(file)
    }
  }

  /// The host's file behind a path without symbolic links. Nil when the guest starts without such a file.
  private func hostFile(_ path: String) -> HostFile? {
    switch paths.place(of: path) {
    case .nothing, .link: nil
    case .host(let root, ""): HostFile(root: "/", below: root, isMountPoint: true)
    case .host(let root, let below): HostFile(root: root, below: below, isMountPoint: false)
    }
  }

  private struct HostFile {
    let root: String
    let below: String
    /// Whether it is the source of a bind mount: a file of the host's.
    let isMountPoint: Bool

    var path: String { isMountPoint ? below : "\(root)/\(below)" }
  }

  func kind(of path: String) throws(SystemError) -> FileKind {
    let path = try canonical(path)
    if path == "/dev/null" { return .masked }
    guard let file = hostFile(path) else { return .missing }
    try effort.spend(on: path)
    do {
      // The source of a bind mount is a file of the host's, and mount(2) follows a symbolic link there.
      let status = try FileStatus(file.path, followingLinks: file.isMountPoint)
      return try FileKind(status, path)
    } catch  where error.errno == ENOENT || error.errno == ENOTDIR {
      return .missing
    }
  }

  func names(in directory: String) throws(SystemError) -> [String] {
    let directory = try canonical(directory)
    var names = Set(paths.mountPoints(in: directory))
    guard let file = hostFile(directory) else { return names.sorted() }
    var count = 0
    do throws(SystemError) {
      try forEachEntry(of: file.path) { name throws(SystemError) in
        count += 1
        if count > Self.entryLimit {
          throw effort.exceed("\(directory) has more than \(Self.entryLimit) names", directory)
        }
        try effort.spend(on: directory)
        names.insert(name)
        return true
      }
    } catch {
      if error.errno != ENOENT && error.errno != ENOTDIR { throw error }
    }
    return names.sorted()
  }

  func read(_ path: String) throws(SystemError) -> [UInt8] {
    do throws(SystemError) {
      return try read(path, limit: Self.unitFileLimit)
    } catch {
      if error.errno == EFBIG { throw effort.exceed("\(path) is larger than \(Self.unitFileLimit >> 10) KiB", path) }
      throw error
    }
  }

  /// The content of a regular file.
  ///
  /// - Throws: `SystemError`: `EFBIG` when it is longer than `limit`.
  func read(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
    guard case .file(let resolved) = try kind(of: path), let file = hostFile(resolved) else {
      throw SystemError("open \(path)", errno: ENOENT)
    }
    // Opened within the root once more: another file may be there by now.
    let bytes = try readFile(file.below, inRoot: file.root, limit: limit)
    try effort.spend(on: path, bytes: bytes.count)
    return bytes
  }
}
