import CLinux
import Glibc

/// Connections to a stream socket in the file system, as the control socket uses them (unix(7)).
public enum UnixStream {
  /// Connects to `path`. Reads and writes of the connection block.
  ///
  /// - Throws: `SystemError`; `ENOENT` and `ECONNREFUSED` when nobody listens there.
  public static func connect(to path: String) throws(SystemError) -> OwnedFD {
    let fd = try make(0, "socket for \(path)")
    try connect(fd, to: path)
    return fd
  }

  /// Whether somebody listens at `path`. It never blocks, not even when the listener's queue is full.
  ///
  /// - Throws: `SystemError` of socket(2) or connect(2).
  public static func answers(at path: String) throws(SystemError) -> Bool {
    let fd = try make(Int32(SOCK_NONBLOCK.rawValue), "socket for \(path)")
    do throws(SystemError) {
      try connect(fd, to: path)
      return true
    } catch {
      switch error.errno {
      case EAGAIN: return true
      case ENOENT, ECONNREFUSED: return false
      default: throw error
      }
    }
  }

  /// Reads the credentials that the peer had when it connected (SO_PEERCRED, unix(7)).
  ///
  /// - Throws: `SystemError`.
  public static func peer(of connection: borrowing OwnedFD) throws(SystemError) -> SocketCredentials {
    let nobody = linux_ucred(pid: 0, uid: .max, gid: .max)
    let peer = try option(connection, SOL_SOCKET, SO_PEERCRED, initially: nobody, named: "SO_PEERCRED")
    return SocketCredentials(pid: peer.pid, uid: peer.uid, gid: peer.gid)
  }

  /// Receives at most `count` bytes: an empty array at the end of the stream, nil when nothing is there yet.
  ///
  /// - Throws: `SystemError`; `ECONNRESET` when the peer has closed the connection without having read everything.
  public static func receive(from connection: borrowing OwnedFD, upTo count: Int) throws(SystemError) -> [UInt8]? {
    let raw = connection.raw
    var bytes = [UInt8](repeating: 0, count: count)
    do throws(SystemError) {
      let size = try retrying("recv") { bytes.withUnsafeMutableBytes { recv(raw, $0.baseAddress, $0.count, 0) } }
      bytes.removeLast(count - size)
      return bytes
    } catch {
      if error.errno == EAGAIN { return nil }
      throw error
    }
  }

  /// Sends as much as there is room for, and returns how many bytes that was; 0 when there is no room.
  ///
  /// - Throws: `SystemError`; `EPIPE` when the peer is gone. It raises no SIGPIPE.
  public static func send(_ bytes: ArraySlice<UInt8>, to connection: borrowing OwnedFD) throws(SystemError) -> Int {
    let raw = connection.raw
    do throws(SystemError) {
      return try retrying("send") {
        bytes.withUnsafeBytes { Glibc.send(raw, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      }
    } catch {
      if error.errno == EAGAIN { return 0 }
      throw error
    }
  }

  /// Closes the sending direction. The peer can still reply.
  public static func finishWriting(to connection: borrowing OwnedFD) {
    // This fails only when the peer is gone, which the next receive reports.
    shutdown(connection.raw, Int32(SHUT_WR))
  }

  private static func make(_ flags: Int32, _ call: String) throws(SystemError) -> OwnedFD {
    OwnedFD(
      owning: try retrying(call) { socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue) | flags, 0) })
  }

  private static func connect(_ fd: borrowing OwnedFD, to path: String) throws(SystemError) {
    let raw = fd.raw
    try SocketAddress.path(path).passed(to: "connect") { Glibc.connect(raw, $0, $1) }
  }
}
