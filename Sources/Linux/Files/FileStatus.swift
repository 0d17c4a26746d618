import Glibc

/// What stat(2) says of a file.
public struct FileStatus: Equatable, Sendable {
  public enum Kind: Equatable, Sendable {
    case regular, directory, symbolicLink, characterDevice, blockDevice, fifo, socket
  }

  public let kind: Kind
  /// In bytes.
  public let size: Int64

  /// - Parameters:
  ///   - path: of the file.
  ///   - followingLinks: whether a symbolic link stands for what it points to.
  /// - Throws: `SystemError`; `ENOENT` when there is no such file, or a link points nowhere.
  public init(_ path: String, followingLinks: Bool) throws(SystemError) {
    var status = stat()
    try retrying("stat \(path)") { followingLinks ? stat(path, &status) : lstat(path, &status) }
    size = Int64(status.st_size)
    kind = Kind(mode: status.st_mode)
  }
}

extension FileStatus.Kind {
  /// From `st_mode`.
  init(mode: mode_t) {
    self =
      switch mode & S_IFMT {
      case S_IFDIR: .directory
      case S_IFLNK: .symbolicLink
      case S_IFCHR: .characterDevice
      case S_IFBLK: .blockDevice
      case S_IFIFO: .fifo
      case S_IFSOCK: .socket
      default: .regular
      }
  }
}
