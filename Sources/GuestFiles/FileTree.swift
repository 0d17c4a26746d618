import Glibc
import Linux
import UnitSyntax

/// A tree of unit files: this host's, or a guest's root as the guest will see it. Paths are absolute within the tree.
protocol FileTree {
  /// What a path holds.
  ///
  /// - Throws: `SystemError` when that cannot be found out, and for a directory, a FIFO or a socket.
  func kind(of path: String) throws(SystemError) -> FileKind
  /// The names in a directory. None when the directory does not exist.
  func names(in directory: String) throws(SystemError) -> [String]
  /// The content of a regular file that is not larger than this kind of tree allows.
  func read(_ path: String) throws(SystemError) -> [UInt8]
}

/// What a path means for a unit of its name.
enum FileKind: Equatable {
  case missing
  /// An empty file, or a link to /dev/null: the unit of this name does not exist, here and in directories of lower precedence.
  case masked
  /// A file that is not empty. `path` is without symbolic links in trees that resolve them.
  case file(path: String)
}

/// The files of this host. Each call is tried several times when memory or descriptors are short: a guest that cannot be read is missing
/// until the next SIGHUP.
struct HostTree: FileTree {
  func kind(of path: String) throws(SystemError) -> FileKind {
    do {
      _ = try insisting { () throws(SystemError) in try FileStatus(path, followingLinks: false) }
    } catch  where error.errno == ENOENT || error.errno == ENOTDIR {
      return .missing
    }
    let status = try insisting { () throws(SystemError) in try FileStatus(path, followingLinks: true) }
    return try FileKind(status, path)
  }

  func names(in directory: String) throws(SystemError) -> [String] {
    do {
      return try insisting { () throws(SystemError) in try directoryEntries(directory) }
    } catch  where error.errno == ENOENT || error.errno == ENOTDIR {
      return []
    }
  }

  func read(_ path: String) throws(SystemError) -> [UInt8] {
    try insisting { () throws(SystemError) in try readFile(path, limit: UnitFile.sizeLimit) }
  }
}

extension FileKind {
  /// Decides as systemd's null_or_empty() does: an empty file and a device are masks. Nothing else but a regular file is ever opened,
  /// because open(2) might wait.
  ///
  /// - Throws: `SystemError` for a directory, a FIFO or a socket.
  init(_ status: FileStatus, _ path: String) throws(SystemError) {
    switch status.kind {
    case .regular: self = status.size == 0 ? .masked : .file(path: path)
    case .characterDevice, .blockDevice: self = .masked
    case .directory: throw SystemError("read \(path)", errno: EISDIR)
    case .symbolicLink, .fifo, .socket: throw SystemError("read \(path)", errno: EINVAL)
    }
  }
}
