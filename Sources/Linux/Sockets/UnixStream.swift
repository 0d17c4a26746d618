import CLinux
import Glibc

/// Connections to and at a socket in the file system: what the control socket is made of (unix(7)).
public enum UnixStream {
  /// Connects to `path`; reading from and writing to the connection blocks.
  ///
  /// - Throws: `SystemError`; `ENOENT` and `ECONNREFUSED` when nobody listens there.
  public static func connect(to path: String) throws(SystemError) -> OwnedFD {
    let fd = try make(0, "socket for \(path)")
    try connect(fd, to: path)
    return fd
  }

  /// Whether somebody listens at `path`; never blocks, also when that one accepts no more.
  ///
  /// - Throws: `SystemError` when that cannot be told.
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

  /// The process at the other end of a connection, when it was made (SO_PEERCRED, unix(7)).
  ///
  /// - Throws: `SystemError`.
  public static func peer(of connection: borrowing OwnedFD) throws(SystemError) -> SocketCredentials {
    let nobody = linux_ucred(pid: 0, uid: .max, gid: .max)
    let peer = try option(connection, SOL_SOCKET, SO_PEERCRED, initially: nobody, named: "SO_PEERCRED")
    return SocketCredentials(pid: peer.pid, uid: peer.uid, gid: peer.gid)
  }

  /// Reads at most `count` bytes: none at the end, nil when there are none now.
  ///
  /// - Throws: `SystemError`; `ECONNRESET` when the peer is gone without having read everything.
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

  /// Writes as much as there is room for, and says how many bytes that was; 0 when there is no room now.
  ///
  /// - Throws: `SystemError`; `EPIPE` when the peer is gone. No SIGPIPE is raised.
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

  /// Says that no more will be written; the peer can still answer.
  public static func finishWriting(to connection: borrowing OwnedFD) {
    // Fails only when the peer is gone, which the next read says.
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
