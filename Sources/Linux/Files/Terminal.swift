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

/// Writes what a non-blocking descriptor takes now, and says how many bytes that was.
///
/// - Throws: `SystemError`.
public func writeReady(_ descriptor: borrowing OwnedFD, _ bytes: [UInt8]) throws(SystemError) -> Int {
  let number = descriptor.raw
  do throws(SystemError) {
    return try retrying("write") { write(number, bytes, bytes.count) }
  } catch {
    if error.errno == EAGAIN { return 0 }
    throw error
  }
}

/// How much room a terminal has, in characters.
public struct WindowSize: Equatable, Sendable {
  /// Lines of text; 0 where nobody has said.
  public var rows: UInt16
  /// Characters in a line; 0 where nobody has said.
  public var columns: UInt16

  public init(rows: UInt16, columns: UInt16) {
    self.rows = rows
    self.columns = columns
  }
}

/// Tells a terminal, by its master, how much room it has; who uses it is told by SIGWINCH.
///
/// - Throws: `SystemError`.
public func setWindowSize(_ size: WindowSize, of master: borrowing OwnedFD) throws(SystemError) {
  let number = master.raw
  var size = winsize(ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0)
  try retrying("ioctl TIOCSWINSZ") { ioctl(number, UInt(TIOCSWINSZ), &size) }
}
