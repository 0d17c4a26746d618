import CLinux
import Glibc

/// Opens the terminal behind a pseudoterminal's master, without naming it: it may be in another mount namespace
/// (ioctl_tty(2), TIOCGPTPEER).
///
/// - Throws: `SystemError`; `EIO` while the terminal is locked.
public func openPeer(of master: borrowing OwnedFD) throws(SystemError) -> OwnedFD {
  let number = master.raw
  return OwnedFD(
    owning: try retrying("ioctl TIOCGPTPEER") {
      ioctl(number, dormouse_tiocgptpeer, O_RDWR | O_NOCTTY | O_CLOEXEC)
    })
}

/// Reads what a non-blocking descriptor has ready, at most `limit` bytes; empty at the end of the file, nil when nothing is ready.
///
/// - Throws: `SystemError`.
public func readReady(_ descriptor: borrowing OwnedFD, limit: Int) throws(SystemError) -> [UInt8]? {
  let number = descriptor.raw
  var bytes = [UInt8](repeating: 0, count: limit)
  do throws(SystemError) {
    let count = try retrying("read") { read(number, &bytes, limit) }
    return Array(bytes[..<count])
  } catch {
    if error.errno == EAGAIN { return nil }
    throw error
  }
}
