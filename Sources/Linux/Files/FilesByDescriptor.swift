import CLinux
import Glibc

/// Reads a whole regular file of at most `limit` bytes. It opens nothing else, because a FIFO would block and a device may have an effect.
///
/// - Throws: `SystemError`; `EINVAL` when it is not a regular file, `EFBIG` when it is longer than `limit`.
public func readRegularFile(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
  let file = OwnedFD(owning: try retrying("open \(path)") { open(path, LINUX_O_PATH | O_CLOEXEC) })
  var status = stat()
  try retrying("stat \(path)") { fstat(file.raw, &status) }
  guard status.st_mode & S_IFMT == S_IFREG else { throw SystemError("read \(path)", errno: EINVAL) }
  do throws(SystemError) {
    return try readFile("/proc/self/fd/\(file.raw)", limit: limit)
  } catch {
    throw SystemError("read \(path)", errno: error.errno)
  }
}

/// Makes a file in an open directory. It belongs to `owner` and the group of the same number.
///
/// - Throws: `SystemError`; `EEXIST` when there is a file of that name.
public func writeNewFile(
  _ name: String, in directory: borrowing OwnedFD, _ bytes: [UInt8], mode: UInt32, owner: UInt32
) throws(SystemError) {
  let raw = directory.raw
  let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
  let file = OwnedFD(owning: try retrying("open \(name)") { openat(raw, name, flags, mode) })
  var rest = bytes[...]
  while !rest.isEmpty {
    let count = try retrying("write \(name)") { rest.withUnsafeBytes { write(file.raw, $0.baseAddress, $0.count) } }
    rest = rest.dropFirst(count)
  }
  try retrying("fchown \(name)") { fchown(file.raw, owner, owner) }
}

/// Changes the owner, the group (to the same number) and the mode of an open directory, which may be open with O_PATH.
///
/// - Throws: `SystemError`.
public func give(_ directory: borrowing OwnedFD, to owner: UInt32, mode: UInt32) throws(SystemError) {
  let raw = directory.raw
  try retrying("chown a directory") { fchownat(raw, "", owner, owner, LINUX_AT_EMPTY_PATH) }
  try retrying("chmod a directory") { fchmodat(raw, ".", mode, 0) }
}

/// Makes a FIFO and opens it for reading and writing, so that it has a reader and a writer as long as the descriptor is open.
///
/// - Throws: `SystemError`; `EEXIST` when `path` exists.
public func makeFIFO(_ path: String, mode: UInt32, owner: UInt32) throws(SystemError) -> OwnedFD {
  try retrying("mkfifo \(path)") { mkfifo(path, mode) }
  let fifo = OwnedFD(owning: try retrying("open \(path)") { open(path, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC) })
  try retrying("fchown \(path)") { fchown(fifo.raw, owner, owner) }
  return fifo
}

/// Removes an empty directory. That it is not there, or not empty, is no error.
public func removeDirectory(_ path: String) { rmdir(path) }
