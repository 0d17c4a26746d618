import Glibc

/// The inodes of the sockets that a process has open, as its /proc/PID/fd names them (`socket:[4711]`).
///
/// - Throws: `SystemError`; `ENOENT` when the process is gone.
public func socketInodes(ofProcess pid: Int32) throws(SystemError) -> Set<UInt64> {
  let directory = "/proc/\(pid)/fd"
  var inodes: Set<UInt64> = []
  for name in try directoryEntries(directory) {
    guard let target = try linkOfDescriptor("\(directory)/\(name)") else { continue }
    guard target.hasPrefix("socket:["), target.hasSuffix("]") else { continue }
    if let inode = UInt64(target.dropFirst(8).dropLast()) { inodes.insert(inode) }
  }
  return inodes
}

/// nil when it has been closed since it was listed. What any other error hides might be a socket.
private func linkOfDescriptor(_ path: String) throws(SystemError) -> String? {
  do throws(SystemError) {
    return try readLink(path)
  } catch {
    if error.errno == ENOENT { return nil }
    throw error
  }
}

/// What a symbolic link holds.
///
/// - Throws: `SystemError`; `EINVAL` when it is none.
public func readLink(_ path: String) throws(SystemError) -> String {
  var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
  let count = try retrying("readlink \(path)") { readlink(path, &buffer, buffer.count) }
  return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
