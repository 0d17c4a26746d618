import CLinux
import Glibc

/// What a guest has left of a socket that it shared with us.
public enum ListenerHealth: Equatable, Sendable {
  case sound
  /// It had been shut down, disconnected or connected elsewhere, and serves again.
  case repaired
  /// The kernel offers no way back: close every descriptor of it and open it anew.
  case lost
}

/// Makes a shared socket fit for the next wake, whatever a guest did to it: non-blocking, and listening again.
///
/// A connection that was queued when the guest shut it down is lost already; none is lost by this.
/// - Throws: `SystemError` when the descriptor is no socket.
public func repairListener(_ fd: borrowing OwnedFD, backlog: UInt32) throws(SystemError) -> ListenerHealth {
  try setNonBlocking(fd)
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
  // Neither UDP nor AF_UNIX takes a shutdown(2) back: reading would say end of file for ever.
  return try isShutDown(fd) ? .lost : health
}

/// - Throws: `SystemError` of poll(2).
func isShutDown(_ fd: borrowing OwnedFD) throws(SystemError) -> Bool {
  try pollEvents(fd, LINUX_POLLRDHUP) & LINUX_POLLRDHUP != 0
}

/// Takes what the kernel has to tell of datagrams that a guest sent (an ICMP message that came back): as long as that waits, the
/// socket polls as ready although nobody has sent anything to it.
///
/// - Throws: `SystemError` of getsockopt(2).
public func clearErrors(of fd: borrowing OwnedFD) throws(SystemError) {
  _ = try option(fd, SOL_SOCKET, SO_ERROR, initially: Int32(0), named: "SO_ERROR")
  // AF_UNIX has no such queue, and would give a datagram away.
  guard try localAddress(of: fd).family != AF_UNIX else { return }
  let raw = fd.raw
  var byte: UInt8 = 0
  while recv(raw, &byte, 1, Int32(MSG_ERRQUEUE) | Int32(MSG_DONTWAIT)) >= 0 {}
}

private func isConnected(_ fd: borrowing OwnedFD) -> Bool {
  let raw = fd.raw
  let peer = try? SocketAddress.filled("getpeername") { getpeername(raw, $0, $1) }
  return peer != nil
}

/// Back to datagrams from everyone; the port stays, because it was asked for by number.
private func disconnect(_ fd: borrowing OwnedFD) -> Bool {
  var nobody = sockaddr()
  nobody.sa_family = sa_family_t(AF_UNSPEC)
  return connect(fd.raw, &nobody, socklen_t(MemoryLayout<sockaddr>.size)) == 0
}

/// Ends what a socket is for, whoever else has a descriptor of it: a listener accepts nobody any more and gives its address up. Who is
/// queued there is reset, or moved where a `ReuseportSteering` leads (shutdown(2), SHUT_RDWR).
///
/// A datagram socket keeps its address and what is queued, until its last descriptor is closed.
/// - Throws: `SystemError`; `ENOTCONN` for a datagram socket without a peer, and for a listener that was shut down before.
public func shutDown(_ fd: borrowing OwnedFD) throws(SystemError) {
  let raw = fd.raw
  try retrying("shutdown") { shutdown(raw, Int32(SHUT_RDWR)) }
}
