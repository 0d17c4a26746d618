import CLinux
import Glibc

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
