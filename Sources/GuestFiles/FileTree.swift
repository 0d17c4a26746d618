import Glibc
import Linux
import UnitSyntax

/// Where unit files lie: this host, or a guest's root as the guest will see it. Paths are absolute in the tree.
protocol FileTree {
  /// - Throws: `SystemError` when it cannot be told, or is neither a file nor masked.
  func look(at path: String) throws(SystemError) -> FileKind
  /// The names in a directory; none when there is no such directory.
  func names(in directory: String) throws(SystemError) -> [String]
  /// The whole of a regular file, at most `UnitFile.sizeLimit` bytes.
  func read(_ path: String) throws(SystemError) -> [UInt8]
}

/// What a path holds, as far as unit files go.
enum FileKind: Equatable {
  case missing
  /// Empty, or a link to /dev/null: it says that there is to be nothing of its name, here and in directories of lower
  /// precedence.
  case masked
  /// A file with something in it; `path` has no symbolic link left in it where the tree resolves them.
  case file(path: String)
}

/// The files of this host. A guest that is not read for want of room at one moment would be none until the next SIGHUP.
struct HostTree: FileTree {
  func look(at path: String) throws(SystemError) -> FileKind {
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
  /// As systemd's null_or_empty(): an empty file and a device are masks. Anything else that is no file cannot be read,
  /// and opening it might wait.
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
