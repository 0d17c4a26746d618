import CLinux
import Glibc

/// A standby socket for a path: bound out of sight, until it is exchanged with the socket at the path.
///
/// An AF_UNIX socket keeps the name that it was bound to, and a guest's PID 1 checks that name. bind(2) refuses a path that exists, and
/// clients are refused while a path does not exist. So the standby is bound to the same name below another root, and then the two
/// files are exchanged atomically (renameat2(2), RENAME_EXCHANGE): a client finds one of the two. Queued clients and connections stay
/// with their socket wherever its file is; the kernel cannot move them to another socket.
///
/// The path tells everything, so that a daemon can continue where a killed one stopped: the file of the socket that is not at the path
/// is in the directory `.NAME.dormouse` beside it, below which the whole path is repeated.
///
/// Where another user may write to the directory of the path, that user could make `.NAME.dormouse`, or replace it by a symbolic link. So a
/// path there has no standby, and nothing is exchanged or removed.
public enum StandbyPath {
  /// Whether a path can have a standby: only root and this process's user can write to its directory.
  public static func isPossible(_ path: String) -> Bool { isOnlyOurs(parent(of: path)) }

  /// Opens the standby of `path`, with mode and owner from `options`; a connection-oriented one listens. It is non-blocking and closed on
  /// exec. An earlier standby is removed.
  ///
  /// - Parameters:
  ///   - kind: the kind of the socket at the path.
  ///   - path: an absolute path; a socket may or may not be there.
  ///   - options: as for openListener(_:_:_:), but the directories of the path are not made.
  /// - Returns: the socket; nobody can reach it before `exchange`.
  /// - Throws: `SystemError`; `EPERM` without CAP_SYS_CHROOT, and when `isPossible` is false; `EEXIST` when somebody else's file is at the
  ///   hidden path.
  public static func open(
    _ kind: SocketKind, _ path: String, _ options: SocketOptions = SocketOptions()
  ) throws(SystemError) -> OwnedFD {
    if !isPossible(path) { throw SystemError("park clients beside \(path)", errno: EPERM) }
    let fd = try openSocket(kind, .path(path), options)
    let root = directory(of: path)
    try makeRoot(root)
    do throws(SystemError) {
      try makeDirectories(parent(of: hidden(path)), mode: 0o700)
      try bindFile(fd, path, below: root, options)
      if kind.isConnected { try listen(on: fd, at: .path(path), backlog: options.backlog) }
    } catch {
      remove(path)
      throw error
    }
    return fd
  }

  /// Exchanges the file at the path and the hidden one. A client that has found a socket before stays with that socket, so scan its
  /// queue afterwards.
  ///
  /// - Throws: `SystemError`; `ENOENT` when one of the files is missing, `EINVAL` on a file system without RENAME_EXCHANGE.
  public static func exchange(_ path: String) throws(SystemError) {
    if !isPossible(path) { throw SystemError("exchange sockets at \(path)", errno: EPERM) }
    try retrying("exchange sockets at \(path)") { linux_rename_exchange(hidden(path), path) }
  }

  /// Whether there is a hidden file: of the standby, or of the primary while the standby is at the path.
  public static func exists(_ path: String) -> Bool { isPossible(path) && access(hidden(path), F_OK) == 0 }

  /// Removes the hidden file and its directory. Its socket stays open, and no client can reach it any more.
  public static func remove(_ path: String) {
    if !isPossible(path) { return }
    unlink(hidden(path))
    let root = directory(of: path)
    var directory = parent(of: hidden(path))
    while directory.count >= root.count, rmdir(directory) == 0 { directory = parent(of: directory) }
  }

  /// The path of the hidden file.
  static func hidden(_ path: String) -> String { directory(of: path) + path }

  private static func directory(of path: String) -> String {
    let start = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
    return "\(path[..<start]).\(path[start...]).dormouse"
  }

  private static func parent(of path: String) -> String {
    String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
  }

  /// Makes the directory that serves as root. Nobody else may write to it, nor to one that an earlier daemon left.
  private static func makeRoot(_ root: String) throws(SystemError) {
    if mkdir(root, 0o700) == 0 { return }
    guard errno == EEXIST else { throw SystemError("mkdir \(root)", errno: errno) }
    var status = stat()
    guard lstat(root, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid(),
      status.st_mode & 0o022 == 0
    else { throw SystemError("mkdir \(root)", errno: EEXIST) }
    try removeTree(root)
    try retrying("mkdir \(root)") { mkdir(root, 0o700) }
  }
}

extension SockDiag {
  /// Whether clients that connect to `path` reach the socket `fd`.
  ///
  /// - Throws: `SystemError` of the request.
  public func isReached(_ fd: borrowing OwnedFD, by path: String) throws(SystemError) -> Bool {
    guard let file = try unixSocket(inode: try inode(of: fd))?.file else { return false }
    var status = stat()
    guard lstat(path, &status) == 0 else { return false }
    let device = DeviceNumber(status.st_dev)
    // sock_diag reports the kernel's own device number: 12 bits of major and 20 of minor.
    return file.inode == UInt32(truncatingIfNeeded: status.st_ino) && file.device == device.major << 20 | device.minor
  }
}
