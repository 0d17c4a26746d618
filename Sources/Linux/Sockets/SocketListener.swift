import CLinux
import Glibc

/// Opens a socket and binds it; a connection-oriented one listens. It is non-blocking and closed on exec.
///
/// For a path, missing directories are made and a stale socket is removed, but never a socket that somebody serves, nor a file of any
/// other kind. The file never has more permissions than `options.file.mode`, not even for a moment.
/// - Throws: `SystemError` whose call names the address: `bind 0.0.0.0:80`.
public func openListener(
  _ kind: SocketKind, _ address: SocketAddress, _ options: SocketOptions = SocketOptions()
) throws(SystemError) -> OwnedFD {
  let fd = try openSocket(kind, address, options)
  if case .path(let path) = address {
    try makeParents(of: path, mode: options.file.directoryMode)
    try removeStaleSocket(path, kind)
    try bindFile(fd, path, options)
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
/// - Parameters:
///   - fd: the socket.
///   - path: the name of the socket.
///   - root: the directory below which the file is made, if not the root directory: the socket's name is `path` all the same. This needs
///     CAP_SYS_CHROOT.
///   - options: whose mode the file never exceeds.
/// - Throws: `SystemError`; `EADDRINUSE` when the file exists, `ENAMETOOLONG` beyond 107 bytes.
func bindFile(
  _ fd: borrowing OwnedFD, _ path: String, below root: String = "", _ options: SocketOptions
) throws(SystemError) {
  let raw = fd.raw
  // bind(2) makes the file with the mode of the socket's own inode, less the umask. So the mode is set before.
  try retrying("fchmod for \(path)") { fchmod(raw, options.file.mode) }
  try SocketAddress.path(path).passed(to: "bind") {
    root.isEmpty ? bind(raw, $0, $1) : linux_bind_below(root, raw, $0, $1)
  }
  try setFileAttributes(root + path, options.file)
}

private func makeParents(of path: String, mode: UInt32) throws(SystemError) {
  var made = ""
  for component in path.split(separator: "/").dropLast() {
    made += (made.isEmpty && !path.hasPrefix("/") ? "" : "/") + component
    if mkdir(made, mode) == 0 {
      // mkdir(2) takes the bits of the umask off the mode that the user asked for.
      try retrying("chmod \(made)") { [made] in chmod(made, mode) }
    } else if errno != EEXIST {
      throw SystemError("mkdir \(made) for \(path)", errno: errno)
    }
  }
}

private func removeStaleSocket(_ path: String, _ kind: SocketKind) throws(SystemError) {
  var status = stat()
  guard lstat(path, &status) == 0 else { return }
  guard status.st_mode & S_IFMT == S_IFSOCK else {
    throw SystemError("bind \(path), which is not a socket", errno: EADDRINUSE)
  }
  if try isServed(path, kind) { throw SystemError("bind \(path), where another program listens", errno: EADDRINUSE) }
  try retrying("unlink \(path)") { unlink(path) }
}

/// Whether somebody holds the socket at `path`. They see a client that connects and is gone at once.
private func isServed(_ path: String, _ kind: SocketKind) throws(SystemError) -> Bool {
  let type = Int32(kind.type.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
  let probe = OwnedFD(owning: try retrying("socket") { socket(AF_UNIX, type, 0) })
  let raw = probe.raw
  // Only this error means that no socket is there. Any other comes from one: its queue is full, or it is of another kind.
  let result = SocketAddress.path(path).withSockaddr { connect(raw, $0, $1) } ?? 0
  return result == 0 || errno != ECONNREFUSED
}

/// Sets owner and mode of a socket's file: the owner first, because the kernel may clear bits of the mode when the owner changes. It uses
/// a descriptor of the file itself, because whoever may write to the directory could put a link in its place meanwhile.
private func setFileAttributes(_ path: String, _ attributes: SocketOptions.File) throws(SystemError) {
  let flags = LINUX_O_PATH | O_NOFOLLOW | O_CLOEXEC
  let file = OwnedFD(owning: try retrying("open \(path)") { open(path, flags) })
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
