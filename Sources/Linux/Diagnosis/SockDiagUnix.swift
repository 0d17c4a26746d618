import CLinux
import Glibc

extension SockDiag {
  /// The AF_UNIX socket with this inode; nil when the namespace has none.
  ///
  /// - Throws: `SystemError` of the request.
  public func unixSocket(inode: UInt64) throws(SystemError) -> UnixSocket? {
    guard let inode = UInt32(exactly: inode) else { return nil }
    var sockets: [UnixSocket] = []
    let shown = UDIAG_SHOW_NAME | UDIAG_SHOW_VFS | UDIAG_SHOW_ICONS | UDIAG_SHOW_UID
    do throws(SystemError) {
      try ask(Self.unixRequest(inode: inode, states: .max, show: shown), flags: 0, "sock_diag of AF_UNIX") {
        let progress = decodeUnixSockets($0, sequence: $1, into: &sockets)
        // The answer to a question about one socket is one message, without an end of its own.
        return progress == .more && !sockets.isEmpty ? .done : progress
      }
    } catch {
      guard error.errno == ENOENT else { throw error }
      return nil
    }
    return sockets.first
  }

  /// All connected AF_UNIX sockets of the namespace; a server's end is in that of its *client*, so clients from other
  /// namespaces cannot be seen.
  ///
  /// - Throws: `SystemError` of the request.
  public func connectedUnixSockets() throws(SystemError) -> [UnixSocket] {
    var sockets: [UnixSocket] = []
    let request = Self.unixRequest(
      inode: 0, states: 1 << UInt32(TCPState.established.rawValue),
      show: UDIAG_SHOW_NAME | UDIAG_SHOW_VFS | UDIAG_SHOW_PEER | UDIAG_SHOW_UID)
    try ask(request, flags: NLM_F_DUMP, "sock_diag of AF_UNIX") {
      decodeUnixSockets($0, sequence: $1, into: &sockets)
    }
    return sockets
  }

  private static func unixRequest(inode: UInt32, states: UInt32, show: Int32) -> unix_diag_req {
    var request = unix_diag_req()
    request.sdiag_family = UInt8(AF_UNIX)
    request.udiag_states = states
    request.udiag_ino = inode
    request.udiag_show = UInt32(show)
    request.udiag_cookie = (.max, .max)
    return request
  }
}
