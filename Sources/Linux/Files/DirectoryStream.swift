import CLinux
import Glibc

/// A name in a directory, byte by byte: whoever chose it need not have chosen UTF-8.
struct FileName: CustomStringConvertible {
  /// With the NUL at its end.
  let bytes: [CChar]

  var description: String { String(decoding: bytes.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self) }
}

/// A directory that is read name by name (readdir(3)), whatever its depth: it is opened from one beside it, never by its path.
final class DirectoryStream {
  private let stream: OpaquePointer
  /// For messages.
  private let path: String

  /// Which directory it is.
  struct Identity: Equatable {
    let device: dev_t
    let inode: ino_t
  }

  /// Opens `name`, which is no symbolic link, in the directory with the number `parent`.
  ///
  /// - Throws: `SystemError`.
  init(_ name: [CChar], at parent: Int32, _ path: String) throws(SystemError) {
    let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
    let descriptor = try retrying("open a directory in \(path)") { openat(parent, name, flags) }
    guard let stream = fdopendir(descriptor) else {
      let error = SystemError("fdopendir \(path)", errno: errno)
      close(descriptor)
      throw error
    }
    self.stream = stream
    self.path = path
  }

  convenience init(_ path: String) throws(SystemError) {
    try self.init(Array(path.utf8CString), at: AT_FDCWD, path)
  }

  deinit { closedir(stream) }

  /// The number of its descriptor.
  var descriptor: Int32 { dirfd(stream) }

  /// Opens a directory in this one, or `..`.
  func open(_ name: FileName) throws(SystemError) -> DirectoryStream {
    try DirectoryStream(name.bytes, at: descriptor, path)
  }

  /// Opens the directory above this one, which must be the one with this identity: somebody may have moved this one.
  func openParent(_ parent: Identity) throws(SystemError) -> DirectoryStream {
    let found = try open(FileName(bytes: Array("..".utf8CString)))
    if try found.identity() != parent { throw SystemError("go up in \(path)", errno: ESTALE) }
    return found
  }

  func identity() throws(SystemError) -> Identity {
    var status = stat()
    try retrying("stat \(path)") { fstat(descriptor, &status) }
    return Identity(device: status.st_dev, inode: status.st_ino)
  }

  /// The next name, without `.` and `..`; nil at the end.
  func next() throws(SystemError) -> (name: FileName, type: Int32)? {
    while let entry = try nextEntry(of: stream, path) {
      let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { $0.prefix { $0 != 0 }.map(CChar.init(bitPattern:)) }
      let dot = CChar(bitPattern: UInt8(ascii: "."))
      if bytes == [dot] || bytes == [dot, dot] { continue }
      return (FileName(bytes: bytes + [0]), Int32(entry.pointee.d_type))
    }
    return nil
  }

  /// Where it is read next: also the place in another stream of the same directory, as long as nobody adds or removes a name.
  var position: Int {
    get { telldir(stream) }
    set { seekdir(stream, newValue) }
  }

  /// Removes a name. That it is not there is no error.
  ///
  /// - Returns: the errno of unlinkat(2); 0 when the name is gone.
  func remove(_ name: FileName, isDirectory: Bool) -> Int32 {
    func attempt() -> Int32 {
      unlinkat(descriptor, name.bytes, isDirectory ? AT_REMOVEDIR : 0) == 0 || errno == ENOENT ? 0 : errno
    }
    let error = attempt()
    // Whoever may do so can have made it, or this directory, immutable.
    return error == EPERM && makeMutable(name) ? attempt() : error
  }

  /// - Returns: whether something was immutable and is no more.
  private func makeMutable(_ name: FileName) -> Bool {
    if linux_make_mutable(descriptor) == 1 { return true }
    var status = stat()
    guard fstatat(descriptor, name.bytes, &status, AT_SYMLINK_NOFOLLOW) == 0,
      [S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT)
    else { return false }
    let raw = openat(descriptor, name.bytes, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)
    if raw == -1 { return false }
    let file = OwnedFD(owning: raw)
    return linux_make_mutable(file.raw) == 1
  }
}
