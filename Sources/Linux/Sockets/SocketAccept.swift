import CLinux
import Glibc

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
    while refused < limit, try acceptConnection(on: listener) != nil { refused += 1 }
  }
  return refused
}

/// Whether there was one, or an error in its place, which is gone as well then.
private func dropDatagram(of socket: borrowing OwnedFD) -> Bool {
  var byte: UInt8 = 0
  return recv(socket.raw, &byte, 1, Int32(MSG_DONTWAIT)) >= 0 || errno != EAGAIN
}

/// Accepts one connection at a listener that nobody but us accepts from; it never blocks, and is closed on exec. Whoever calls owns it.
///
/// - Returns: nil when nobody waits.
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
      // accept(2): errors of the connection, which is gone with them; the next may be sound.
      case ECONNABORTED, EPROTO, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH, ENONET, ENOPROTOOPT:
        continue
      default: throw error
      }
    }
  }
}
