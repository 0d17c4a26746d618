import CLinux
import Glibc

/// What can be seen of a file in a tree that somebody else may write to, a guest's root, without opening it.
///
/// `path` is the tree's: no symbolic link leads out of the root, whenever it was made.
public struct FileInRoot: Sendable {
  /// After the links; a link that leads nowhere is itself.
  public let kind: FileStatus.Kind
  /// The twelve bits of chmod(2).
  public let mode: UInt32
  /// A user, as the host numbers them.
  public let owner: UInt32
  /// Of a device file.
  public let device: DeviceNumber
  /// ST_RDONLY of statvfs(3): the mount or the file system takes no writes.
  public let isReadOnly: Bool
  /// What the last part of the path holds when it is a symbolic link.
  public let link: String?
  /// The names in a directory, at most `limit`.
  public let names: [String]

  /// - Throws: `SystemError`; `ENOENT` when there is no such file.
  public init(_ path: String, inRoot root: String, limit: Int) throws(SystemError) {
    let directory = OwnedFD(owning: try retrying("open \(root)") { open(root, LINUX_O_PATH | O_CLOEXEC) })
    let itself = OwnedFD(
      owning: try retrying("open \(path) in \(root)") { linux_locate_link_in_root(directory.raw, path) })
    let target = linux_locate_in_root(directory.raw, path)
    let file = target == -1 ? try itself.duplicate() : OwnedFD(owning: target)
    var status = stat()
    try retrying("stat \(path) in \(root)") { fstat(file.raw, &status) }
    var system = statfs()
    try retrying("statfs \(path) in \(root)") { fstatfs(file.raw, &system) }
    kind = FileStatus.Kind(mode: status.st_mode)
    mode = status.st_mode & 0o7777
    owner = status.st_uid
    device = DeviceNumber(status.st_rdev)
    isReadOnly = system.f_flags & Int(ST_RDONLY) != 0
    link = try? readLink(of: itself)
    var names: [String] = []
    if kind == .directory {
      try forEachEntry(of: "/proc/self/fd/\(file.raw)") { name in
        names.append(name)
        return names.count < limit
      }
    }
    self.names = names
  }
}

/// What an opened symbolic link holds: readlinkat(2) of an empty path.
private func readLink(of link: borrowing OwnedFD) throws(SystemError) -> String {
  let raw = link.raw
  var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
  let count = try retrying("readlinkat") { readlinkat(raw, "", &buffer, buffer.count) }
  return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// Whether the master behind a terminal of a tree is open: the slave of a closed one cannot be opened (EIO, pts(4)).
public func terminalIsHeld(_ path: String, inRoot root: String) -> Bool {
  guard let directory = try? OwnedFD(owning: retrying("open \(root)") { open(root, LINUX_O_PATH | O_CLOEXEC) }),
    let file = try? OwnedFD(owning: retrying("open \(path)") { linux_locate_in_root(directory.raw, path) })
  else { return false }
  let terminal = open("/proc/self/fd/\(file.raw)", O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
  if terminal == -1 { return false }
  close(terminal)
  return true
}

/// Reads a regular file in a tree that somebody else may write to, a guest's root, at most `limit` bytes of it.
///
/// `path` is the tree's: no symbolic link leads out of `root`, whenever it was made. Only a regular file is opened: a FIFO would
/// make the reader wait, and opening a device may do something.
///
/// - Throws: `SystemError`; `EINVAL` when it is no regular file, `EFBIG` when it is longer than `limit`.
public func readFile(_ path: String, inRoot root: String, limit: Int) throws(SystemError) -> [UInt8] {
  let directory = OwnedFD(
    owning: try retrying("open \(root)") { open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
  let file = OwnedFD(owning: try retrying("open \(path) in \(root)") { linux_locate_in_root(directory.raw, path) })
  var status = stat()
  try retrying("stat \(path) in \(root)") { fstat(file.raw, &status) }
  guard status.st_mode & S_IFMT == S_IFREG else { throw SystemError("read \(path) in \(root)", errno: EINVAL) }
  return try readFile("/proc/self/fd/\(file.raw)", limit: limit)
}
