import CLinux
import Glibc

/// A name in a directory that is held open: a file that is about to be made or removed there.
///
/// The directory is resolved as a `SafePath`, so that no other user of the host can have a file made or removed in a directory that is not
/// his own.
public struct SafeEntry: ~Copyable {
  let directory: OwnedFD
  /// The path of the directory, without symbolic links and `..`.
  public let directoryPath: String
  /// The name in the directory.
  let name: String

  /// Resolves the directory of `path`. With `mode`, missing directories are made. In a directory of a user they belong to that user, who
  /// could replace them anyway.
  ///
  /// - Throws: `SystemError`; `EPERM` when a user could make the path lead elsewhere, `ENOENT` when a directory is missing.
  public init(_ path: String, makingDirectories mode: UInt32? = nil) throws(SystemError) {
    // procfs leads to the working directory itself, whatever its path is by now.
    let whole = path.hasPrefix("/") ? path : "/proc/self/cwd/" + path
    name = lastComponent(of: whole)
    let place = try Self.open(parentDirectory(of: whole), mode, for: path)
    directoryPath = place.path
    directory = place.takeDescriptor()
  }

  /// A path that leads to the file by the open directory.
  var alias: String { "/proc/self/fd/\(directory.raw)/\(name)" }

  /// Removes the file. That it is not there is no error.
  public func remove() throws(SystemError) {
    if unlinkat(directory.raw, name, 0) == -1, errno != ENOENT { throw SystemError("unlink \(name)", errno: errno) }
  }

  private static func open(_ path: String, _ mode: UInt32?, for whole: String) throws(SystemError) -> SafePath {
    do throws(SystemError) {
      return try SafePath(path)
    } catch {
      guard error.errno == ENOENT, let mode, path != "/" else { throw error }
      let above = try open(parentDirectory(of: path), mode, for: whole)
      try make(path, in: above, mode, for: whole)
      return try SafePath(path)
    }
  }

  private static func make(
    _ path: String, in above: borrowing SafePath, _ mode: UInt32, for whole: String
  ) throws(SystemError) {
    let (raw, user, group) = (above.descriptor.raw, above.user, above.group)
    let name = lastComponent(of: path)
    if mkdirat(raw, name, mode) == -1 {
      if errno == EEXIST { return }
      throw SystemError("mkdir \(path) for \(whole)", errno: errno)
    }
    let flags = LINUX_O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
    let made = OwnedFD(owning: try retrying("open \(path)") { openat(raw, name, flags) })
    // mkdir(2) takes the bits of the umask off the mode that the user asked for.
    try retrying("chmod \(path)") { fchmodat(made.raw, ".", mode, 0) }
    if user != geteuid(), user != 0 {
      try retrying("chown \(path)") { fchownat(made.raw, "", user, group, LINUX_AT_EMPTY_PATH) }
    }
  }
}

/// Removes a file at a path whose directory is resolved as a `SafePath`. That it is not there, or cannot be removed, is no error.
public func removeSafely(_ path: String) {
  do throws(SystemError) { try SafeEntry(path).remove() } catch {}
}
