import CLinux
import Glibc

/// Accepts one connection at a non-blocking listener that no guest has ever had. The connection is non-blocking and closed on exec.
///
/// Whoever shares a listener can clear its O_NONBLOCK at any moment, and accept4(2) has no flag like MSG_DONTWAIT.
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
