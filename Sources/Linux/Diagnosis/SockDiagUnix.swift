import CLinux
import Glibc

extension SockDiag {
  /// Finds the AF_UNIX socket with this inode; nil when the namespace has none. For a listener it sets `queued`, not `pending`: the kernel
  /// describes a single socket in one page at most, and fails with `EMSGSIZE` for a long list.
  ///
  /// - Throws: `SystemError` of the request.
  public func unixSocket(inode: UInt64) throws(SystemError) -> UnixSocket? {
    guard let inode = UInt32(exactly: inode) else { return nil }
    do throws(SystemError) {
      return try unixSockets(
        inode: inode, states: .max, show: UDIAG_SHOW_NAME | UDIAG_SHOW_VFS | UDIAG_SHOW_RQLEN, flags: NLM_F_ACK
      ).first
    } catch {
      guard error.errno == ENOENT else { throw error }
      return nil
    }
  }

  /// Lists all AF_UNIX sockets of the namespace that listen or are connected. The server's end of a connection is in the namespace of its
  /// *client*, so clients in other namespaces are not seen.
  ///
  /// - Throws: `SystemError` of the request.
  public func unixSockets() throws(SystemError) -> [UnixSocket] {
    let states: [TCPState] = [.established, .listen]
    return try unixSockets(
      inode: 0, states: states.reduce(0) { $0 | 1 << UInt32($1.rawValue) },
      show: UDIAG_SHOW_NAME | UDIAG_SHOW_VFS | UDIAG_SHOW_ICONS | UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN,
      flags: NLM_F_DUMP)
  }

  private func unixSockets(inode: UInt32, states: UInt32, show: Int32, flags: Int32) throws(SystemError) -> [UnixSocket]
  {
    var content = unix_diag_req()
    content.sdiag_family = UInt8(AF_UNIX)
    content.udiag_states = states
    content.udiag_ino = inode
    content.udiag_show = UInt32(show)
    content.udiag_cookie = (.max, .max)
    let request = NetlinkRequest(Int(SOCK_DIAG_BY_FAMILY), flags: flags, content)
    return try netlink.list(request, "sock_diag of AF_UNIX") { UnixSocket(diagMessage: $0) }
  }
}
