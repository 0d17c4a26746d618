import CLinux
import Glibc

/// Refuses the clients queued at a listener that no guest holds: it accepts and closes at most `limit` connections. On a datagram socket
/// it drops datagrams.
///
/// A guest may have cleared O_NONBLOCK, so that is set first. While a guest still holds the socket it could clear the flag again before
/// accept4(2), which would then block.
/// - Returns: how many were refused; `limit` means that more may be queued.
/// - Throws: `SystemError` of accept4(2); `EINVAL` for a socket that somebody has shut down.
public func refuseQueued(on listener: borrowing OwnedFD, limit: Int) throws(SystemError) -> Int {
  try setNonBlocking(listener)
  var refused = 0
  if try kind(of: listener) == .datagram {
    // recv(2) would report an empty datagram for ever.
    if try isShutDown(listener) { throw SystemError("recv", errno: EINVAL) }
    while refused < limit, dropDatagram(of: listener) { refused += 1 }
  } else {
    while refused < limit, try acceptConnection(on: listener) != nil { refused += 1 }
  }
  return refused
}

/// Receives and drops one datagram, or the pending error that recv(2) reports once in its place.
///
/// - Returns: false when neither is queued.
private func dropDatagram(of socket: borrowing OwnedFD) -> Bool {
  var byte: UInt8 = 0
  return recv(socket.raw, &byte, 1, Int32(MSG_DONTWAIT)) >= 0 || errno != EAGAIN
}

/// Accepts one connection at a listener that only this process accepts from. The connection is non-blocking and closed on exec.
///
/// - Returns: nil when no client is queued.
/// - Throws: `SystemError` of accept4(2); `EMFILE` when this process has no descriptor left: the connection stays in the queue.
public func acceptConnection(on listener: borrowing OwnedFD) throws(SystemError) -> OwnedFD? {
  let raw = listener.raw
  let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
  while true {
    do throws(SystemError) {
      return OwnedFD(owning: try retrying("accept4") { accept4(raw, nil, nil, flags) })
    } catch {
      switch error.errno {
      case EAGAIN: return nil
      // Errors of the connection itself, which is gone then (accept(2)). The next one in the queue may be good.
      case ECONNABORTED, EPROTO, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH, ENONET, ENOPROTOOPT:
        continue
      default: throw error
      }
    }
  }
}
