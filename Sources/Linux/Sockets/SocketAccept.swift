import CLinux
import Glibc

/// A connection to an AF_UNIX listener and who is at its other end.
public struct AcceptedPeer: ~Copyable, Sendable {
  /// Non-blocking, closed on exec.
  public let connection: OwnedFD
  /// As they were at the client's connect(2).
  public let credentials: SocketCredentials

  /// Gives the connection away; the caller closes it from now on.
  public consuming func takeConnection() -> OwnedFD { connection }
}

/// Takes the next client of an AF_UNIX listener that nobody but us accepts from.
///
/// - Returns: nil when nobody waits, or whoever waited has gone.
/// - Throws: `SystemError` of accept4(2): `EMFILE` and its like.
public func acceptPeer(on listener: borrowing OwnedFD) throws(SystemError) -> AcceptedPeer? {
  guard let connection = try accept(on: listener) else { return nil }
  let credentials = try UnixStream.peer(of: connection)
  return AcceptedPeer(connection: connection, credentials: credentials)
}

/// Turns away the clients that wait at a listener which no guest holds: accepts and closes, at most `limit` of them. Of a datagram
/// socket it takes the datagrams, and drops them.
///
/// A guest that had it may have cleared O_NONBLOCK, so that is set first; with a guest still there it could be cleared
/// again before the accept, which would then block.
/// - Returns: how many; `limit` means that there may be more.
/// - Throws: `SystemError` of accept4(2); `EINVAL` for a socket that somebody shut down: it takes no more.
public func refuseQueued(on listener: borrowing OwnedFD, limit: Int) throws(SystemError) -> Int {
  try setNonBlocking(listener)
  var refused = 0
  if try kind(of: listener) == .datagram {
    // Reading would say for ever that there is an empty one.
    if try isShutDown(listener) { throw SystemError("recv", errno: EINVAL) }
    while refused < limit, dropDatagram(of: listener) { refused += 1 }
  } else {
    while refused < limit, try accept(on: listener) != nil { refused += 1 }
  }
  return refused
}

/// Whether there was one, or an error in its place, which is gone as well then.
private func dropDatagram(of socket: borrowing OwnedFD) -> Bool {
  var byte: UInt8 = 0
  return recv(socket.raw, &byte, 1, Int32(MSG_DONTWAIT)) >= 0 || errno != EAGAIN
}

private func accept(on listener: borrowing OwnedFD) throws(SystemError) -> OwnedFD? {
  let raw = listener.raw
  let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
  while true {
    do throws(SystemError) {
      return OwnedFD(owning: try retrying("accept4") { accept4(raw, nil, nil, flags) })
    } catch {
      switch error.errno {
      case EAGAIN: return nil
      // accept(2): errors of the connection, which is gone with them; the next may be sound.
      case ECONNABORTED, EPROTO, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH, ENONET, ENOPROTOOPT:
        continue
      default: throw error
      }
    }
  }
}
