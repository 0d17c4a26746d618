import CLinux
import Glibc

/// Makes a file that has no name, holds `bytes`, and cannot be changed by anybody any more: memfd_create(2), F_ADD_SEALS.
///
/// - Parameters:
///   - name: is shown by /proc/PID/fd only.
///   - bytes: the whole content.
/// - Returns: the file, with its offset at the end.
/// - Throws: `SystemError` of memfd_create(2), write(2) or fcntl(2).
public func sealedFile(_ name: String, _ bytes: [UInt8]) throws(SystemError) -> OwnedFD {
  let file = OwnedFD(owning: try retrying("memfd_create \(name)") { linux_sealable_file(name) })
  let raw = file.raw
  var rest = bytes[...]
  while !rest.isEmpty {
    let count = try retrying("write \(name)") { rest.withUnsafeBytes { write(raw, $0.baseAddress, $0.count) } }
    rest = rest.dropFirst(count)
  }
  try retrying("fcntl F_ADD_SEALS \(name)") { linux_seal(raw) }
  return file
}

/// Reads a file that cannot be changed by anybody any more, as `sealedFile` makes it. The file offset, which whoever else has the file
/// shares, stays where it is.
///
/// - Returns: nil when the file can still be changed: it is not sealed, or no file in memory at all.
/// - Throws: `SystemError`; `EFBIG` when the file is longer than `limit`.
public func readSealedFile(_ file: borrowing OwnedFD, limit: Int) throws(SystemError) -> [UInt8]? {
  let raw = file.raw
  if linux_is_sealed(raw) == 0 { return nil }
  var status = stat()
  try retrying("fstat") { fstat(raw, &status) }
  guard status.st_mode & S_IFMT == S_IFREG else { return nil }
  let size = Int(status.st_size)
  if size > limit { throw SystemError("read a sealed file", errno: EFBIG) }
  var bytes = [UInt8](repeating: 0, count: size)
  var length = 0
  while length < size {
    let count = try retrying("pread") {
      bytes.withUnsafeMutableBytes { pread(raw, $0.baseAddress.map { $0 + length }, size - length, off_t(length)) }
    }
    if count == 0 { break }
    length += count
  }
  return Array(bytes.prefix(length))
}
