import CLinux
import Glibc

/// Opens the slave of a pseudoterminal by its master. It needs no path, because the slave may be in another mount namespace (TIOCGPTPEER of
/// ioctl_tty(2)).
///
/// - Throws: `SystemError`; `EIO` while the terminal is locked.
public func openPeer(of master: borrowing OwnedFD) throws(SystemError) -> OwnedFD {
  let number = master.raw
  return OwnedFD(
    owning: try retrying("ioctl TIOCGPTPEER") {
      ioctl(number, dormouse_tiocgptpeer, O_RDWR | O_NOCTTY | O_CLOEXEC)
    })
}

/// Reads at most `limit` bytes from a non-blocking descriptor: an empty array at the end of the file, nil when nothing is ready.
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

/// Writes as much as a non-blocking descriptor has room for, and returns how many bytes that was.
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

/// The size of a terminal, in characters.
public struct WindowSize: Equatable, Sendable {
  /// Lines of text; 0 when it was never set.
  public var rows: UInt16
  /// Characters in a line; 0 when it was never set.
  public var columns: UInt16

  public init(rows: UInt16, columns: UInt16) {
    self.rows = rows
    self.columns = columns
  }
}

/// Sets the size of a terminal by its master. The kernel sends SIGWINCH to the terminal's foreground processes.
///
/// - Throws: `SystemError`.
public func setWindowSize(_ size: WindowSize, of master: borrowing OwnedFD) throws(SystemError) {
  let number = master.raw
  var size = winsize(ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0)
  try retrying("ioctl TIOCSWINSZ") { ioctl(number, UInt(TIOCSWINSZ), &size) }
}
