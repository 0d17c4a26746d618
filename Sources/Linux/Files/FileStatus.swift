import CLinux
import Glibc

/// What stat(2) reports of a file.
public struct FileStatus: Equatable, Sendable {
  /// The file types of inode(7).
  public enum Kind: Equatable, Sendable {
    case regular, directory, symbolicLink, characterDevice, blockDevice, fifo, socket
  }

  /// The file's type.
  public let kind: Kind
  /// The size in bytes.
  public let size: Int64
  /// The twelve bits of the mode that chmod(2) sets, without the file type.
  public let mode: UInt32
  /// The owner's uid.
  public let user: UInt32
  /// The group's gid.
  public let group: UInt32
  /// The device number of a device file.
  public let device: DeviceNumber

  /// Stats a file.
  ///
  /// - Parameters:
  ///   - path: the file's path.
  ///   - followingLinks: whether a symbolic link stands for its target.
  /// - Throws: `SystemError`; `ENOENT` when there is no such file, or a link is dangling.
  public init(_ path: String, followingLinks: Bool) throws(SystemError) {
    var status = stat()
    try retrying("stat \(path)") { followingLinks ? stat(path, &status) : lstat(path, &status) }
    self.init(status)
  }

  /// Stats a file in a guest's root, which the guest may write to meanwhile: no symbolic link can lead outside of `root`.
  ///
  /// - Throws: `SystemError`; `ENOENT` when there is no such file.
  public init(_ path: String, inRoot root: String) throws(SystemError) {
    let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC
    let directory = OwnedFD(owning: try retrying("open \(root)") { open(root, flags) })
    let raw = directory.raw
    let file = OwnedFD(owning: try retrying("open \(path) in \(root)") { linux_locate_in_root(raw, path) })
    var status = stat()
    try retrying("stat \(path) in \(root)") { fstat(file.raw, &status) }
    self.init(status)
  }

  private init(_ status: stat) {
    size = Int64(status.st_size)
    user = status.st_uid
    group = status.st_gid
    device = DeviceNumber(status.st_rdev)
    kind = Kind(mode: status.st_mode)
    mode = status.st_mode & 0o7777
  }
}

extension FileStatus.Kind {
  /// Decodes `st_mode`.
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
