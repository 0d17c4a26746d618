import CLinux
import Glibc

/// The condition in which a guest has left a socket that it shared with the daemon.
public enum ListenerHealth: Equatable, Sendable {
  case sound
  /// The guest had shut it down or connected it to somebody; now it serves again.
  case repaired
  /// The kernel cannot restore it: close every descriptor of it and open a new socket.
  case lost
}

/// Makes a shared socket listen again, for example after a guest has shut it down.
///
/// The shutdown(2) of a guest resets the queued connections. The repair resets none.
/// - Throws: `SystemError` when the descriptor is not a socket.
public func repairListener(_ fd: borrowing OwnedFD, backlog: UInt32) throws(SystemError) -> ListenerHealth {
  let local = try localAddress(of: fd)
  let kind = try kind(of: fd)
  var health = ListenerHealth.sound
  if kind == .datagram {
    try clearErrors(of: fd)
    if isConnected(fd) {
      guard disconnect(fd) else { return .lost }
      health = .repaired
    }
  } else if try !isListening(fd) {
    do throws(SystemError) { try listen(on: fd, at: local, backlog: backlog) } catch { return .lost }
    health = .repaired
  }
  // Neither UDP nor AF_UNIX can undo a shutdown(2): reading would report the end of the file for ever.
  return try isShutDown(fd) ? .lost : health
}

/// Whether somebody has shut down the receiving direction of a socket.
///
/// - Throws: `SystemError` of poll(2).
func isShutDown(_ fd: borrowing OwnedFD) throws(SystemError) -> Bool {
  try pollEvents(fd, LINUX_POLLRDHUP) & LINUX_POLLRDHUP != 0
}

/// Discards the errors that the kernel reports for datagrams that a guest sent (from ICMP messages). While an error is pending, the
/// socket polls as ready although no client has sent anything.
///
/// - Throws: `SystemError` of getsockopt(2).
public func clearErrors(of fd: borrowing OwnedFD) throws(SystemError) {
  _ = try option(fd, SOL_SOCKET, SO_ERROR, initially: Int32(0), named: "SO_ERROR")
  // AF_UNIX has no error queue: MSG_ERRQUEUE would receive a datagram there.
  guard try localAddress(of: fd).family != AF_UNIX else { return }
  let raw = fd.raw
  var byte: UInt8 = 0
  // At most 1000, because a guest that has the socket may cause errors faster than this discards them.
  for _ in 0..<1000 where recv(raw, &byte, 1, Int32(MSG_ERRQUEUE) | Int32(MSG_DONTWAIT)) < 0 { return }
}

private func isConnected(_ fd: borrowing OwnedFD) -> Bool {
  let raw = fd.raw
  let peer = try? SocketAddress.filled("getpeername") { getpeername(raw, $0, $1) }
  return peer != nil
}

/// Makes a datagram socket receive from everybody again. It keeps its port, because it was bound to that explicitly.
private func disconnect(_ fd: borrowing OwnedFD) -> Bool {
  var nobody = sockaddr()
  nobody.sa_family = sa_family_t(AF_UNSPEC)
  return connect(fd.raw, &nobody, socklen_t(MemoryLayout<sockaddr>.size)) == 0
}

/// Shuts down a socket for all its holders (shutdown(2), SHUT_RDWR): a listener stops accepting and gives up its address. Queued clients
/// are reset, or move to the side that a `ReuseportSteering` steers to.
///
/// A datagram socket keeps its address and its queue until its last descriptor is closed.
/// - Throws: `SystemError`; `ENOTCONN` for a datagram socket without a peer, and for a listener that was shut down before.
public func shutDown(_ fd: borrowing OwnedFD) throws(SystemError) {
  let raw = fd.raw
  try retrying("shutdown") { shutdown(raw, Int32(SHUT_RDWR)) }
}
