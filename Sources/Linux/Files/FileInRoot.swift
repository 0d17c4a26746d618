import CLinux
import Glibc

/// What can be read of a file in a guest's root, which the guest may write to meanwhile, without opening the file.
///
/// The path is resolved inside the root: no symbolic link can lead outside, whenever it was made.
public struct FileInRoot: Sendable {
  /// The kind of the file that symbolic links lead to; a dangling link has its own kind.
  public let kind: FileStatus.Kind
  /// The twelve permission bits of chmod(2).
  public let mode: UInt32
  /// The owner's uid on the host.
  public let owner: UInt32
  /// The device number of a device file.
  public let device: DeviceNumber
  /// Whether the mount or the file system is read-only (ST_RDONLY of statvfs(3)).
  public let isReadOnly: Bool
  /// The target of the last component of the path, when that is a symbolic link.
  public let link: String?
  /// The names in a directory, at most `limit` of them.
  public let names: [String]

  /// Reads a file's attributes.
  ///
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

/// Reads the target of an open symbolic link: readlinkat(2) of an empty path.
func readLink(of link: borrowing OwnedFD) throws(SystemError) -> String {
  let raw = link.raw
  var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
  let count = try retrying("readlinkat") { readlinkat(raw, "", &buffer, buffer.count) }
  return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// Whether somebody holds the master of a pseudoterminal in a guest's root: without one, opening the slave fails with EIO (pts(4)).
public func terminalIsHeld(_ path: String, inRoot root: String) -> Bool {
  guard let directory = try? OwnedFD(owning: retrying("open \(root)") { open(root, LINUX_O_PATH | O_CLOEXEC) }),
    let file = try? OwnedFD(owning: retrying("open \(path)") { linux_locate_in_root(directory.raw, path) })
  else { return false }
  // Opening any other device may have an effect. Pseudoterminal slaves have the major numbers 136 to 143.
  var status = stat()
  guard fstat(file.raw, &status) == 0, status.st_mode & S_IFMT == S_IFCHR,
    (136...143).contains(DeviceNumber(status.st_rdev).major)
  else { return false }
  let terminal = open("/proc/self/fd/\(file.raw)", O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
  if terminal == -1 { return false }
  close(terminal)
  return true
}

/// Reads a regular file of at most `limit` bytes in a guest's root, which the guest may write to meanwhile.
///
/// The path is resolved inside `root`: no symbolic link can lead outside, whenever it was made. Only a regular file is opened, because
/// opening a FIFO blocks and opening a device may have an effect.
///
/// - Throws: `SystemError`; `EINVAL` when it is not a regular file, `EFBIG` when it is longer than `limit`.
public func readFile(_ path: String, inRoot root: String, limit: Int) throws(SystemError) -> [UInt8] {
  let directory = OwnedFD(
    owning: try retrying("open \(root)") { open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
  let file = OwnedFD(owning: try retrying("open \(path) in \(root)") { linux_locate_in_root(directory.raw, path) })
  var status = stat()
  try retrying("stat \(path) in \(root)") { fstat(file.raw, &status) }
  guard status.st_mode & S_IFMT == S_IFREG else { throw SystemError("read \(path) in \(root)", errno: EINVAL) }
  return try readFile("/proc/self/fd/\(file.raw)", limit: limit)
}
