import Glibc
import GuestSpec
import Linux
import UnitSyntax

/// A guest's root as its PID 1 will see it, read on the host before there is a guest. Paths are the guest's.
///
/// Symbolic links are followed name by name inside the guest, an absolute one from the guest's root, so that none
/// leads out of it: the tree is the guest's own and not to be trusted. Only regular files are opened, so that none
/// makes the reader wait.
struct GuestTree: FileTree {
  private var paths: GuestPaths
  /// A search looks at many names in few directories, and most of its time would go into finding those again.
  private let directories = Directories()

  /// Directories and their paths without links.
  private final class Directories {
    var resolved: [Substring: [String]] = [:]
  }

  private let effort = Effort()

  /// What is left of what one search may cost, a fraction of a second: the daemon does nothing else meanwhile, and a tree can be
  /// made to have units without end.
  private final class Effort {
    private var looks = 100_000
    private var bytes = 2 << 20

    /// - Throws: `SystemError` with `E2BIG` when it is used up.
    func spend(on path: String, bytes count: Int = 0) throws(SystemError) {
      looks -= 1
      bytes -= count
      if looks < 0 || bytes < 0 { throw SystemError("look at \(path) after all that came before", errno: E2BIG) }
    }
  }

  /// As many as the kernel follows.
  private static let linkLimit = 40

  init(_ guest: Guest) {
    paths = GuestPaths(directory: guest.rootDirectory, volatile: guest.files.volatile)
    for mount in guest.files.mountsByDepth {
      // Where a mount lands is known only when those above it are there: its path may lead through a link in one of
      // them.
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
        // The uppermost that is the host's; what the guest itself has in the place stays visible below it.
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

  /// The path without symbolic links; what is missing at its end stays as it is.
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

  /// Follows `path` from a directory whose names are no links.
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

  /// What the link at a path holds; nil when there is no link. All names of the path but the last are none.
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

  /// The host's file behind a path without links; nil when the guest starts without one.
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
    /// The source of a bind: the host's own file.
    let isMountPoint: Bool

    var path: String { isMountPoint ? below : "\(root)/\(below)" }
  }

  func look(at path: String) throws(SystemError) -> FileKind {
    let path = try canonical(path)
    if path == "/dev/null" { return .masked }
    guard let file = hostFile(path) else { return .missing }
    try effort.spend(on: path)
    do {
      // The source of a bind is the host's own file, and a link there is followed when it is mounted.
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
    do throws(SystemError) {
      try forEachEntry(of: file.path) { name throws(SystemError) in
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
    guard case .file(let resolved) = try look(at: path), let file = hostFile(resolved) else {
      throw SystemError("open \(path)", errno: ENOENT)
    }
    // Found once more inside the root: what was looked at may be another thing by now.
    let bytes = try readFile(file.below, inRoot: file.root, limit: UnitFile.sizeLimit)
    try effort.spend(on: path, bytes: bytes.count)
    return bytes
  }
}
