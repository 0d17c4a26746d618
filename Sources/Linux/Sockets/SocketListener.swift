import CLinux
import Glibc

/// Opens a socket and binds it; a connection-oriented one listens. It is non-blocking and closed on exec.
///
/// For a path, missing directories are made and a stale socket is removed, but never a socket that somebody serves, nor a file of any
/// other kind. The file never has more permissions than `options.file.mode`, not even for a moment.
///
/// - Throws: `SystemError` whose call names the address: `bind 0.0.0.0:80`; `EPERM` for a path that another user of the host could make lead
///   to a directory that is not his own.
public func openListener(
  _ kind: SocketKind, _ address: SocketAddress, _ options: SocketOptions = SocketOptions()
) throws(SystemError) -> OwnedFD {
  let fd = try openSocket(kind, address, options)
  if case .path(let path) = address {
    let entry = try SafeEntry(path, makingDirectories: options.file.directoryMode)
    try removeStaleSocket(entry, path, kind)
    try bindFile(fd, path, entry, options)
  } else {
    let raw = fd.raw
    try address.passed(to: "bind") { bind(raw, $0, $1) }
  }
  if kind.isConnected { try listen(on: fd, at: address, backlog: options.backlog) }
  return fd
}

/// Makes a socket for an address, non-blocking and closed on exec. It is not bound, and has no options yet.
func makeSocket(
  _ kind: SocketKind, _ address: SocketAddress, protocol: Int32 = 0, isConfined: Bool
) throws(SystemError) -> OwnedFD {
  let type = Int32(kind.type.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
  // A connection of AF_UNIX cannot be connected again, so it leads nowhere else by itself.
  if isConfined, address.family != AF_UNIX || kind == .datagram {
    return try SocketConfinement.socket(kind, address, type, protocol: `protocol`)
  }
  return OwnedFD(owning: try retrying("socket for \(address)") { socket(address.family, type, `protocol`) })
}

/// Opens a socket with its options set and its address still to be bound.
func openSocket(
  _ kind: SocketKind, _ address: SocketAddress, _ options: SocketOptions
) throws(SystemError) -> OwnedFD {
  let fd = try makeSocket(kind, address, isConfined: options.isConfined)
  do throws(SystemError) {
    try options.applyBeforeBind(to: fd, kind, address)
    try options.apply(to: fd, kind, address)
  } catch {
    throw SystemError("\(error.call) for \(address)", errno: error.errno)
  }
  return fd
}

func listen(on fd: borrowing OwnedFD, at address: SocketAddress, backlog: UInt32) throws(SystemError) {
  let raw = fd.raw
  try retrying("listen \(address)") { listen(raw, Int32(clamping: backlog)) }
}

/// Binds a socket to a path that does not exist, with the mode and owner of `options`.
///
/// The socket's name is `path`, and so the kernel resolves that, while all else is done to `entry`.
private func bindFile(
  _ fd: borrowing OwnedFD, _ path: String, _ entry: borrowing SafeEntry, _ options: SocketOptions
) throws(SystemError) {
  try setMode(of: fd, path, options)
  let raw = fd.raw
  try SocketAddress.path(path).passed(to: "bind") { bind(raw, $0, $1) }
  // Whoever owns the directory may have exchanged it for a link meanwhile.
  var (there, bound) = (stat(), stat())
  guard lstat(entry.alias, &there) == 0, lstat(path, &bound) == 0, there.st_ino == bound.st_ino,
    there.st_dev == bound.st_dev
  else { throw SystemError("bind \(path), whose directory was exchanged", errno: EPERM) }
  try setFileAttributes(entry.alias, path, options.file)
}

/// Binds a socket to the name `path` of a file that does not exist below `root`, with the mode and owner of `options`. This needs
/// CAP_SYS_CHROOT, and only this process's user may write to `root`.
///
/// - Throws: `SystemError`; `EADDRINUSE` when the file exists, `ENAMETOOLONG` beyond 107 bytes.
func bindFile(
  _ fd: borrowing OwnedFD, _ path: String, below root: String, _ options: SocketOptions
) throws(SystemError) {
  try setMode(of: fd, path, options)
  let raw = fd.raw
  try SocketAddress.path(path).passed(to: "bind") { linux_bind_below(root, raw, $0, $1) }
  try setFileAttributes(root + path, root + path, options.file)
}

/// bind(2) makes the file with the mode of the socket's own inode, less the umask. So the mode is set before.
private func setMode(of fd: borrowing OwnedFD, _ path: String, _ options: SocketOptions) throws(SystemError) {
  let raw = fd.raw
  try retrying("fchmod for \(path)") { fchmod(raw, options.file.mode) }
}

private func removeStaleSocket(
  _ entry: borrowing SafeEntry, _ path: String, _ kind: SocketKind
) throws(SystemError) {
  var status = stat()
  guard lstat(entry.alias, &status) == 0 else { return }
  guard status.st_mode & S_IFMT == S_IFSOCK else {
    throw SystemError("bind \(path), which is not a socket", errno: EADDRINUSE)
  }
  if try isServed(entry.alias, path, kind) {
    throw SystemError("bind \(path), where another program listens", errno: EADDRINUSE)
  }
  try entry.remove()
}

/// Whether somebody holds the socket at `path`. They see a client that connects and is gone at once.
private func isServed(_ alias: String, _ path: String, _ kind: SocketKind) throws(SystemError) -> Bool {
  let type = Int32(kind.type.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
  let probe = OwnedFD(owning: try retrying("socket") { socket(AF_UNIX, type, 0) })
  let raw = probe.raw
  // Only this error means that no socket is there. Any other comes from one: its queue is full, or it is of another kind.
  // With a long name the alias may exceed the 107 bytes of an address.
  let result =
    SocketAddress.path(alias).withSockaddr { connect(raw, $0, $1) }
    ?? SocketAddress.path(path).withSockaddr { connect(raw, $0, $1) } ?? 0
  return result == 0 || errno != ECONNREFUSED
}

/// Sets owner and mode of a socket's file: the owner first, because the kernel may clear bits of the mode when the owner changes. It uses
/// a descriptor of the file itself, because whoever may write to the directory could put a link in its place meanwhile.
private func setFileAttributes(
  _ place: String, _ path: String, _ attributes: SocketOptions.File
) throws(SystemError) {
  let flags = LINUX_O_PATH | O_NOFOLLOW | O_CLOEXEC
  let file = OwnedFD(owning: try retrying("open \(path)") { open(place, flags) })
  var status = stat()
  try retrying("fstat \(path)") { fstat(file.raw, &status) }
  guard status.st_mode & S_IFMT == S_IFSOCK else { throw SystemError("bind \(path)", errno: EADDRINUSE) }
  if attributes.owner != nil || attributes.group != nil {
    try retrying("chown \(path)") {
      fchownat(file.raw, "", attributes.owner ?? .max, attributes.group ?? .max, LINUX_AT_EMPTY_PATH)
    }
  }
  try retrying("chmod \(path)") { chmod("/proc/self/fd/\(file.raw)", attributes.mode) }
}
