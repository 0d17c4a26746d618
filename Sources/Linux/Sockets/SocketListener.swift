import CLinux
import Glibc

/// Makes a socket and binds it; one that takes connections listens. Non-blocking, closed on exec.
///
/// For a path, missing directories are made and the socket of an earlier run is removed, but never a file of any other
/// kind. The file never has more permissions than `options.mode`, not even for a moment.
/// - Throws: `SystemError` whose call names the address: `bind 0.0.0.0:80`.
public func openListener(
  _ kind: SocketKind, _ address: SocketAddress, _ options: SocketOptions = SocketOptions()
) throws(SystemError) -> OwnedFD {
  let type = Int32(kind.type.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
  let fd = OwnedFD(owning: try retrying("socket for \(address)") { socket(address.family, type, 0) })
  do throws(SystemError) {
    try options.applyBeforeBind(to: fd, kind, address)
    try options.apply(to: fd)
  } catch {
    throw SystemError("\(error.call) for \(address)", errno: error.errno)
  }
  if case .path(let path) = address {
    try bindPath(fd, path, options)
  } else {
    try bind(fd, to: address)
  }
  if kind.isConnected { try listen(on: fd, at: address, backlog: options.backlog) }
  return fd
}

func listen(on fd: borrowing OwnedFD, at address: SocketAddress, backlog: UInt32) throws(SystemError) {
  let raw = fd.raw
  try retrying("listen \(address)") { listen(raw, Int32(clamping: backlog)) }
}

/// bind(2), and nothing else: a path has the mode that its socket had (fchmod(2)), less the umask.
///
/// - Throws: `SystemError`; `EADDRINUSE` when the path exists, `ENAMETOOLONG` beyond 107 bytes.
public func bind(_ fd: borrowing OwnedFD, to address: SocketAddress) throws(SystemError) {
  let raw = fd.raw
  try address.passed(to: "bind") { bind(raw, $0, $1) }
}

private func bindPath(_ fd: borrowing OwnedFD, _ path: String, _ options: SocketOptions) throws(SystemError) {
  try makeParents(of: path, mode: options.directoryMode)
  try removeStaleSocket(path, kind(of: fd))
  let raw = fd.raw
  // The kernel makes the file with the permissions of the socket's own inode, as far as the umask lets it.
  try retrying("fchmod for \(path)") { fchmod(raw, options.mode) }
  try bind(fd, to: .path(path))
  try setFileAttributes(path, options)
}

private func makeParents(of path: String, mode: UInt32) throws(SystemError) {
  var made = ""
  for component in path.split(separator: "/").dropLast() {
    made += (made.isEmpty && !path.hasPrefix("/") ? "" : "/") + component
    if mkdir(made, mode) == 0 {
      // The umask had its say; the user's word stands.
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
    throw SystemError("bind \(path), where a file is that is no socket", errno: EADDRINUSE)
  }
  if try isServed(path, kind) { throw SystemError("bind \(path), where another program listens", errno: EADDRINUSE) }
  try retrying("unlink \(path)") { unlink(path) }
}

/// Whether a socket is behind the file. Whoever has it sees a client that is gone at once.
private func isServed(_ path: String, _ kind: SocketKind) throws(SystemError) -> Bool {
  let type = Int32(kind.type.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
  let probe = OwnedFD(owning: try retrying("socket") { socket(AF_UNIX, type, 0) })
  let raw = probe.raw
  // Any other error than this one comes from a socket: a full queue, another kind.
  let result = SocketAddress.path(path).withSockaddr { connect(raw, $0, $1) } ?? 0
  return result == 0 || errno != ECONNREFUSED
}

/// Owner first: the kernel may take bits off the mode when the owner changes. By a descriptor of the file itself,
/// because who may write to the directory could put a link in its place meanwhile.
func setFileAttributes(_ path: String, _ options: SocketOptions) throws(SystemError) {
  let flags = LINUX_O_PATH | O_NOFOLLOW | O_CLOEXEC
  let file = OwnedFD(owning: try retrying("open \(path)") { open(path, flags) })
  var status = stat()
  try retrying("fstat \(path)") { fstat(file.raw, &status) }
  guard status.st_mode & S_IFMT == S_IFSOCK else { throw SystemError("bind \(path)", errno: EADDRINUSE) }
  if options.owner != nil || options.group != nil {
    try retrying("chown \(path)") {
      fchownat(file.raw, "", options.owner ?? .max, options.group ?? .max, LINUX_AT_EMPTY_PATH)
    }
  }
  try retrying("chmod \(path)") { chmod("/proc/self/fd/\(file.raw)", options.mode) }
}
