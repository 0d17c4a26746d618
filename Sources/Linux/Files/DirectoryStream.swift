import CLinux
import Glibc

/// A name in a directory, as bytes, because a file name need not be UTF-8.
struct FileName: CustomStringConvertible {
  /// The bytes of the name, with the NUL at the end.
  let bytes: [CChar]

  var description: String { String(decoding: bytes.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self) }
}

/// A directory that is read entry by entry (readdir(3)). Others are opened from it by one name (openat(2)), so that a deep tree does not
/// need a path that is longer than PATH_MAX.
final class DirectoryStream {
  private let stream: OpaquePointer
  /// The path of the tree's top, for error messages.
  private let path: String

  /// The numbers of stat(2) that identify a directory while it exists.
  struct Identity: Equatable {
    let device: dev_t
    let inode: ino_t
  }

  /// Opens the directory `name` in the directory with the descriptor `parent`, which stays the caller's.
  ///
  /// - Throws: `SystemError` of openat(2); `ENOTDIR` when `name` is no directory, or a symbolic link.
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

  /// The number of its descriptor, which this object owns.
  var descriptor: Int32 { dirfd(stream) }

  /// Opens a directory in this one, or its parent with the name `..`.
  func open(_ name: FileName) throws(SystemError) -> DirectoryStream {
    try DirectoryStream(name.bytes, at: descriptor, path)
  }

  /// Opens the parent directory. It throws `ESTALE` when that is not `parent`, because somebody has moved this directory.
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

  /// Reads the next entry, a name and its `d_type` (readdir(3)), without `.` and `..`; nil at the end.
  func next() throws(SystemError) -> (name: FileName, type: Int32)? {
    while let entry = try nextEntry(of: stream, path) {
      let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { $0.prefix { $0 != 0 }.map(CChar.init(bitPattern:)) }
      let dot = CChar(bitPattern: UInt8(ascii: "."))
      if bytes == [dot] || bytes == [dot, dot] { continue }
      return (FileName(bytes: bytes + [0]), Int32(entry.pointee.d_type))
    }
    return nil
  }

  /// The position of the next entry (telldir(3)). It is valid in another stream of the same directory while nobody adds or removes a name.
  var position: Int {
    get { telldir(stream) }
    set { seekdir(stream, newValue) }
  }

  /// Removes a file, or an empty directory, from this directory. A missing name is no error.
  ///
  /// - Returns: the errno of unlinkat(2); 0 when the name is gone.
  func remove(_ name: FileName, isDirectory: Bool) -> Int32 {
    func attempt() -> Int32 {
      unlinkat(descriptor, name.bytes, isDirectory ? AT_REMOVEDIR : 0) == 0 || errno == ENOENT ? 0 : errno
    }
    let error = attempt()
    // EPERM: somebody with CAP_LINUX_IMMUTABLE may have made the file, or this directory, immutable (chattr +i).
    return error == EPERM && makeMutable(name) ? attempt() : error
  }

  /// Clears the attributes "immutable" and "append only" of this directory, or else of the file.
  ///
  /// - Returns: whether one was set, and is cleared now.
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
