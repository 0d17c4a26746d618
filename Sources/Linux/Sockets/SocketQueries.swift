import CLinux
import Glibc

/// Reads the address that a socket is bound to: getsockname(2).
///
/// - Throws: `SystemError`; `EAFNOSUPPORT` for a socket that is neither IPv4, IPv6 nor AF_UNIX.
public func localAddress(of fd: borrowing OwnedFD) throws(SystemError) -> SocketAddress {
  let raw = fd.raw
  let address = try SocketAddress.filled("getsockname") { getsockname(raw, $0, $1) }
  guard let address else { throw SystemError("getsockname", errno: EAFNOSUPPORT) }
  return address
}

/// Reads the type of a socket: SO_TYPE.
///
/// - Throws: `SystemError`; `ESOCKTNOSUPPORT` for any other type, `ENOTSOCK` for a descriptor that is not a socket.
public func kind(of fd: borrowing OwnedFD) throws(SystemError) -> SocketKind {
  let type = try option(fd, SOL_SOCKET, SO_TYPE, initially: UInt32(0), named: "SO_TYPE")
  guard let kind = SocketKind.allCases.first(where: { $0.type.rawValue == type }) else {
    throw SystemError("getsockopt SO_TYPE", errno: ESOCKTNOSUPPORT)
  }
  return kind
}

/// Whether a socket listens: SO_ACCEPTCONN. False for a listener that somebody has shut down, and for every datagram socket.
///
/// - Throws: `SystemError` of getsockopt(2).
public func isListening(_ fd: borrowing OwnedFD) throws(SystemError) -> Bool {
  try option(fd, SOL_SOCKET, SO_ACCEPTCONN, initially: Int32(0), named: "SO_ACCEPTCONN") != 0
}

/// Reads the number in `socket:[…]` of /proc/PID/fd, which is the same for every descriptor of a socket.
///
/// - Throws: `SystemError` of fstat(2).
public func inode(of fd: borrowing OwnedFD) throws(SystemError) -> UInt64 {
  let raw = fd.raw
  var status = stat()
  try retrying("fstat") { fstat(raw, &status) }
  return UInt64(status.st_ino)
}

/// Sets or clears O_NONBLOCK on the open file description, which all holders of the socket share. Any of them can change it at any moment,
/// so no call of this process relies on it.
///
/// - Throws: `SystemError` of fcntl(2).
public func setNonBlocking(_ fd: borrowing OwnedFD, _ wanted: Bool = true) throws(SystemError) {
  let raw = fd.raw
  let flags = try retrying("fcntl F_GETFL") { fcntl(raw, F_GETFL) }
  let new = wanted ? flags | O_NONBLOCK : flags & ~O_NONBLOCK
  if new != flags { try retrying("fcntl F_SETFL") { fcntl(raw, F_SETFL, new) } }
}

/// The accept queue of a TCP listener.
struct AcceptQueue: Equatable {
  /// How many connections are queued.
  var length: Int
  /// The backlog of listen(2), capped at net.core.somaxconn. The kernel queues one more.
  var limit: Int
}

/// Reads the accept queue of a TCP listener. For AF_UNIX use `SockDiag`.
///
/// Half-open connections are not in it. `SockDiag.isAnyHalfOpen` finds those, but not at which of two listeners at one address.
/// - Throws: `SystemError` of getsockopt(2); `EOPNOTSUPP` for a socket that is not TCP, `EINVAL` for one that does not listen.
func acceptQueue(of fd: borrowing OwnedFD) throws(SystemError) -> AcceptQueue {
  // The beginning of struct tcp_info, which Swift cannot import because of its bit fields: the state is the first byte.
  let info = try option(fd, Int32(IPPROTO_TCP), TCP_INFO, initially: [8 of UInt32](repeating: 0), named: "TCP_INFO")
  guard info[0] & 0xff == UInt32(TCPState.listen.rawValue) else {
    throw SystemError("getsockopt TCP_INFO", errno: EINVAL)
  }
  // tcpi_unacked and tcpi_sacked: for a listener the kernel puts the queue's length and its limit there.
  return AcceptQueue(length: Int(info[6]), limit: Int(info[7]))
}

/// Reads the length of a TCP listener's accept queue.
///
/// - Throws: as `acceptQueue(of:)`.
public func acceptQueueLength(of fd: borrowing OwnedFD) throws(SystemError) -> Int { try acceptQueue(of: fd).length }

/// Whether something is queued: a connection at a listener, a datagram at any other socket.
///
/// It never blocks and removes nothing from the queue.
/// - Throws: `SystemError` of poll(2).
public func hasInput(_ fd: borrowing OwnedFD) throws(SystemError) -> Bool {
  try pollEvents(fd, POLLIN) & POLLIN != 0
}

func pollEvents(_ fd: borrowing OwnedFD, _ wanted: Int32) throws(SystemError) -> Int32 {
  var entry = pollfd(fd: fd.raw, events: Int16(wanted), revents: 0)
  try retrying("poll") { poll(&entry, 1, 0) }
  return Int32(entry.revents)
}
