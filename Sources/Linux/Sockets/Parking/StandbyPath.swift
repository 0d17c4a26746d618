import CLinux
import Glibc

/// A second socket for a path, which waits out of sight until it changes places with the one that is there.
///
/// A socket of AF_UNIX has the name for good that it was bound under, and a guest's PID 1 looks for that name. bind(2) refuses a path
/// that exists, and one that is removed first refuses clients until the next is there. So the second one is bound under the same
/// name below another root, and then the two files change places at once (renameat2(2), RENAME_EXCHANGE): a client finds the one or
/// the other. What is queued at a socket, and connections, stay with it wherever its file is; the kernel has no way to move them
/// from one socket to another.
///
/// All that is needed is found by the path, so that a daemon can go on where a killed one left off: the file of the socket that
/// is not at the path lies in the directory `.NAME.dormouse` beside it, at the whole path again.
public enum StandbyPath {
  /// Makes the second socket of `path`, with mode and owner as `options` ask; one that takes connections listens. Non-blocking, closed
  /// on exec. What an earlier one left is removed.
  ///
  /// - Parameters:
  ///   - kind: as the socket at the path has it.
  ///   - path: from the root; a socket is there or not.
  ///   - options: for openListener(_:_:_:); the directories of the path are not made.
  /// - Returns: the socket; nobody can reach it before `exchange`.
  /// - Throws: `SystemError`; `EPERM` without CAP_SYS_CHROOT, `EEXIST` when somebody else's file is in the way.
  public static func open(
    _ kind: SocketKind, _ path: String, _ options: SocketOptions = SocketOptions()
  ) throws(SystemError) -> OwnedFD {
    let address = SocketAddress.path(path)
    let fd = try makeSocket(kind, address, options)
    let root = directory(of: path)
    try makeRoot(root)
    do throws(SystemError) {
      try makeDirectories(parent(of: aside(path)), mode: 0o700)
      let raw = fd.raw
      try retrying("fchmod for \(path)") { fchmod(raw, options.mode) }
      try retrying("bind second socket to \(path)") {
        if let result = address.withSockaddr({ linux_bind_below(root, raw, $0, $1) }) { return result }
        errno = ENAMETOOLONG
        return -1
      }
      try setFileAttributes(aside(path), options)
      if kind.isConnected { try listen(on: fd, at: address, backlog: options.backlog) }
    } catch {
      remove(path)
      throw error
    }
    return fd
  }

  /// Lets the socket at the path and the second one change places. Who has found the one before is with that one still: look at its
  /// queue afterwards.
  ///
  /// - Throws: `SystemError`; `ENOENT` when one of them is missing, `EINVAL` on a file system that knows no exchange.
  public static func exchange(_ path: String) throws(SystemError) {
    try retrying("exchange sockets at \(path)") { linux_rename_exchange(aside(path), path) }
  }

  /// Whether there is a file out of sight: of the second socket, or of the first while the second has its place.
  public static func exists(_ path: String) -> Bool { access(aside(path), F_OK) == 0 }

  /// Removes the file that is out of sight, with its directory. Its socket lives on, and nobody can reach it any more.
  public static func remove(_ path: String) {
    unlink(aside(path))
    let root = directory(of: path)
    var directory = parent(of: aside(path))
    while directory.count >= root.count, rmdir(directory) == 0 { directory = parent(of: directory) }
  }

  /// Where the file is that is out of sight.
  static func aside(_ path: String) -> String { directory(of: path) + path }

  private static func directory(of path: String) -> String {
    let start = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
    return "\(path[..<start]).\(path[start...]).dormouse"
  }

  private static func parent(of path: String) -> String {
    String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
  }

  private static func makeSocket(
    _ kind: SocketKind, _ address: SocketAddress, _ options: SocketOptions
  ) throws(SystemError) -> OwnedFD {
    let type = Int32(kind.type.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let fd = OwnedFD(owning: try retrying("second socket for \(address)") { socket(AF_UNIX, type, 0) })
    try options.applyBeforeBind(to: fd, kind, address)
    try options.apply(to: fd)
    return fd
  }

  /// Nobody but us may put anything there, or could have.
  private static func makeRoot(_ root: String) throws(SystemError) {
    if mkdir(root, 0o700) == 0 { return }
    guard errno == EEXIST else { throw SystemError("mkdir \(root)", errno: errno) }
    var status = stat()
    guard lstat(root, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid(),
      status.st_mode & 0o022 == 0
    else { throw SystemError("mkdir \(root)", errno: EEXIST) }
    removeTree(root)
    try retrying("mkdir \(root)") { mkdir(root, 0o700) }
  }
}

extension SockDiag {
  /// Whether the socket that `fd` names is the one that clients find at `path`.
  ///
  /// - Throws: `SystemError` of the request.
  public func isReached(_ fd: borrowing OwnedFD, by path: String) throws(SystemError) -> Bool {
    guard let file = try unixSocket(inode: try inode(of: fd))?.file else { return false }
    var status = stat()
    guard lstat(path, &status) == 0 else { return false }
    let device = DeviceNumber(status.st_dev)
    // sock_diag has the kernel's own number, 12 bits of major and 20 of minor.
    return file.inode == UInt32(truncatingIfNeeded: status.st_ino) && file.device == device.major << 20 | device.minor
  }
}
