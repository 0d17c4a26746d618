import CLinux
import Glibc

/// A listener of TCP, or a socket of UDP, as sock_diag(7) lists it.
struct BoundSocket: Equatable, Sendable {
  /// The socket's number in /proc/PID/fd.
  var inode: UInt64
  var port: UInt16
  /// The number of the cgroup in which it was made (Linux 5.7).
  var cgroup: UInt64?

  /// Reads what follows the header of a message of sock_diag(7); nil when it is no such socket. No bytes make it trap.
  init?(diagMessage payload: UnsafeRawBufferPointer) {
    let size = MemoryLayout<inet_diag_msg>.size
    guard payload.count >= size else { return nil }
    let message = payload.loadUnaligned(as: inet_diag_msg.self)
    inode = UInt64(message.idiag_inode)
    port = UInt16(bigEndian: message.id.idiag_sport)
    var number: UInt64?
    forEachAttribute(in: payload, after: size) { type, content in
      if type == INET_DIAG_CGROUP_ID, content.count >= 8 { number = content.loadUnaligned(as: UInt64.self) }
    }
    cgroup = number
  }
}

extension SockDiag {
  /// Lists the listeners of TCP and the sockets of UDP of the namespace.
  ///
  /// - Throws: `SystemError` of the request.
  func boundSockets() throws(SystemError) -> [BoundSocket] {
    var sockets: [BoundSocket] = []
    for (kind, states) in [(IPPROTO_TCP, [TCPState.listen]), (IPPROTO_UDP, [.close, .established])] {
      for family in [AF_INET, AF_INET6] {
        var content = inet_diag_req_v2()
        content.sdiag_family = UInt8(family)
        content.sdiag_protocol = UInt8(kind)
        content.idiag_states = states.reduce(0) { $0 | 1 << UInt32($1.rawValue) }
        let request = NetlinkRequest(Int(SOCK_DIAG_BY_FAMILY), flags: NLM_F_DUMP, content)
        sockets += try netlink.list(request, "sock_diag of bound sockets") { BoundSocket(diagMessage: $0) }
      }
    }
    return sockets
  }
}
