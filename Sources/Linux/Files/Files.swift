import CLinux
import Glibc

/// Reads a whole file of at most `limit` bytes.
///
/// - Throws: `SystemError`; `EFBIG` when the file is longer than `limit`.
public func readFile(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
  let file = OwnedFD(owning: try retrying("open \(path)") { open(path, O_RDONLY | O_CLOEXEC) })
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 16 * 1024)
  while true {
    let count = try retrying("read \(path)") { read(file.raw, &chunk, chunk.count) }
    if count == 0 { return bytes }
    if bytes.count + count > limit { throw SystemError("read \(path)", errno: EFBIG) }
    bytes += chunk[..<count]
  }
}

/// Writes a value to a file of procfs or sysfs in one write(2): some take a value only whole.
///
/// - Throws: `SystemError` of open(2) or write(2).
public func writeSetting(_ path: String, _ text: String) throws(SystemError) {
  let file = OwnedFD(owning: try retrying("open \(path)") { open(path, O_WRONLY | O_CLOEXEC) })
  let raw = file.raw
  try retrying("write \(path)") { write(raw, text, text.utf8.count) }
}

/// Writes a file atomically: to a temporary file beside it, which is renamed to `path`.
///
/// - Throws: `SystemError`; the old file, if any, is unchanged then.
public func writeFile(_ path: String, _ text: String) throws(SystemError) {
  let temporary = path + ".new"
  do throws(SystemError) {
    let file = OwnedFD(
      owning: try retrying("open \(temporary)") { open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644) })
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = try retrying("write \(temporary)") {
        rest.withUnsafeBytes { write(file.raw, $0.baseAddress, $0.count) }
      }
      rest = rest.dropFirst(count)
    }
    try retrying("rename \(temporary)") { rename(temporary, path) }
  } catch {
    removeFile(temporary)
    throw error
  }
}

/// Removes a file. That it is not there, or cannot be removed, is no error.
public func removeFile(_ path: String) { unlink(path) }

/// Makes a directory and the missing directories above it with `mode`. Existing directories are not changed.
///
/// - Throws: `SystemError` with the directory that could not be made.
public func makeDirectories(_ path: String, mode: UInt32 = 0o755) throws(SystemError) {
  var made = path.hasPrefix("/") ? "" : "."
  for component in path.split(separator: "/") {
    made += "/" + component
    if mkdir(made, mode) == -1 && errno != EEXIST { throw SystemError("mkdir \(made)", errno: errno) }
  }
}

/// Lists the names in a directory, without `.` and `..`, in no particular order.
///
/// - Throws: `SystemError` when it cannot be opened.
public func directoryEntries(_ path: String) throws(SystemError) -> [String] {
  var names: [String] = []
  try forEachEntry(of: path) { name in
    names.append(name)
    return true
  }
  return names
}

/// Calls `body` with each name in a directory, without `.` and `..`, until it returns false. It stores no names, because whoever fills the
/// directory may not be trusted.
///
/// - Throws: `SystemError` when the directory cannot be read, and what `body` throws.
public func forEachEntry(of path: String, _ body: (String) throws(SystemError) -> Bool) throws(SystemError) {
  guard let directory = opendir(path) else { throw SystemError("opendir \(path)", errno: errno) }
  defer { closedir(directory) }
  while let entry = try nextEntry(of: directory, path) {
    let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    if name != "." && name != "..", try !body(name) { return }
  }
}

/// Calls readdir(3), which returns NULL at the end and on failure, and sets errno on failure only.
func nextEntry(of directory: OpaquePointer, _ path: String) throws(SystemError) -> UnsafeMutablePointer<dirent>? {
  errno = 0
  let entry = readdir(directory)
  if entry == nil && errno != 0 { throw SystemError("readdir \(path)", errno: errno) }
  return entry
}
