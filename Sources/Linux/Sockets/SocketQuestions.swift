import CLinux
import Glibc

/// Where the socket is bound: getsockname(2).
///
/// - Throws: `SystemError`; `EAFNOSUPPORT` for a socket that is neither IPv4, IPv6 nor AF_UNIX.
public func localAddress(of fd: borrowing OwnedFD) throws(SystemError) -> SocketAddress {
  let raw = fd.raw
  let address = try SocketAddress.filled("getsockname") { getsockname(raw, $0, $1) }
  guard let address else { throw SystemError("getsockname", errno: EAFNOSUPPORT) }
  return address
}

/// Stream, datagram or sequential packet: SO_TYPE.
///
/// - Throws: `SystemError`; `ESOCKTNOSUPPORT` for any other kind, `ENOTSOCK` for what is no socket.
public func kind(of fd: borrowing OwnedFD) throws(SystemError) -> SocketKind {
  let type = try option(fd, SOL_SOCKET, SO_TYPE, initially: UInt32(0), named: "SO_TYPE")
  guard let kind = SocketKind.allCases.first(where: { $0.type.rawValue == type }) else {
    throw SystemError("getsockopt SO_TYPE", errno: ESOCKTNOSUPPORT)
  }
  return kind
}

/// Whether it is a listener: SO_ACCEPTCONN. False for one that somebody shut down, and for every datagram socket.
///
/// - Throws: `SystemError` of getsockopt(2).
public func isListening(_ fd: borrowing OwnedFD) throws(SystemError) -> Bool {
  try option(fd, SOL_SOCKET, SO_ACCEPTCONN, initially: Int32(0), named: "SO_ACCEPTCONN") != 0
}

/// The number in /proc/PID/fd's `socket:[…]`, the same for every descriptor of one socket.
///
/// - Throws: `SystemError` of fstat(2).
public func inode(of fd: borrowing OwnedFD) throws(SystemError) -> UInt64 {
  let raw = fd.raw
  var status = stat()
  try retrying("fstat") { fstat(raw, &status) }
  return UInt64(status.st_ino)
}

/// Sets O_NONBLOCK on the open file description, which everybody shares who has the socket.
///
/// - Throws: `SystemError` of fcntl(2).
public func setNonBlocking(_ fd: borrowing OwnedFD) throws(SystemError) {
  let raw = fd.raw
  let flags = try retrying("fcntl F_GETFL") { fcntl(raw, F_GETFL) }
  if flags & O_NONBLOCK == 0 { try retrying("fcntl F_SETFL") { fcntl(raw, F_SETFL, flags | O_NONBLOCK) } }
}

/// What waits at a listener of TCP, and how much may.
public struct AcceptQueue: Equatable, Sendable {
  /// How many connections wait to be accepted.
  public var length: Int
  /// listen(2)'s backlog, as net.core.somaxconn let it be. The kernel takes one more.
  public var limit: Int
}

/// How many connections of TCP wait to be accepted; for AF_UNIX ask `SockDiag`.
///
/// Half-open ones are not in it: `SockDiag.tcpConnections` shows those, without saying of which of two listeners at one address.
/// - Throws: `SystemError` of getsockopt(2); `EOPNOTSUPP` for a socket that is not of TCP, `EINVAL` for no listener.
public func acceptQueue(of fd: borrowing OwnedFD) throws(SystemError) -> AcceptQueue {
  // The beginning of struct tcp_info, which Swift cannot pass whole for its bit fields: the state is the first byte.
  let info = try option(fd, Int32(IPPROTO_TCP), TCP_INFO, initially: [8 of UInt32](repeating: 0), named: "TCP_INFO")
  guard info[0] & 0xff == UInt32(TCPState.listen.rawValue) else {
    throw SystemError("getsockopt TCP_INFO", errno: EINVAL)
  }
  // tcpi_unacked and tcpi_sacked: of a listener the kernel gives its queue and its backlog there.
  return AcceptQueue(length: Int(info[6]), limit: Int(info[7]))
}

/// `acceptQueue(of:)`'s length.
///
/// - Throws: as that.
public func acceptQueueLength(of fd: borrowing OwnedFD) throws(SystemError) -> Int { try acceptQueue(of: fd).length }

/// Whether something waits to be taken: a connection at a listener, a datagram at any other socket.
///
/// Never blocks, takes nothing.
/// - Throws: `SystemError` of poll(2).
public func hasInput(_ fd: borrowing OwnedFD) throws(SystemError) -> Bool {
  try pollEvents(fd, POLLIN) & POLLIN != 0
}

func pollEvents(_ fd: borrowing OwnedFD, _ wanted: Int32) throws(SystemError) -> Int32 {
  var entry = pollfd(fd: fd.raw, events: Int16(wanted), revents: 0)
  try retrying("poll") { poll(&entry, 1, 0) }
  return Int32(entry.revents)
}
