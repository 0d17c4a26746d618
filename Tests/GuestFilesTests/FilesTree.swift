import Glibc
import Linux

/// A directory of files for one test, gone after it.
final class FilesTree {
  let root: String

  init() throws {
    var template = Array("/tmp/dormouse-files-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp", errno: errno) }
    root = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { Self.remove(root) }

  private static func remove(_ path: String) {
    for name in (try? directoryEntries(path)) ?? [] {
      let child = "\(path)/\(name)"
      let isDirectory = (try? FileStatus(child, followingLinks: false))?.kind == .directory
      if isDirectory { remove(child) } else { unlink(child) }
    }
    rmdir(path)
  }

  /// The absolute path of a path in the tree.
  func path(_ relative: String) -> String { "\(root)/\(relative)" }

  func add(_ relative: String, _ text: String) throws {
    try makeParent(relative)
    try writeFile(path(relative), text)
  }

  func link(_ relative: String, to target: String) throws {
    try makeParent(relative)
    try retrying("symlink") { symlink(target, path(relative)) }
  }

  func makeDirectory(_ relative: String) throws { try makeDirectories(path(relative)) }

  private func makeParent(_ relative: String) throws {
    let parts = relative.split(separator: "/").dropLast()
    try makeDirectories(path(parts.joined(separator: "/")))
  }
}
