import CLinux
import Glibc

/// A TCP listener or a UDP socket, as sock_diag(7) lists it.
struct BoundSocket: Equatable, Sendable {
  /// The socket's inode number, as in the `socket:[NUMBER]` of /proc/PID/fd.
  var inode: UInt64
  var port: UInt16
  /// The ID of the cgroup in which it was made; nil before Linux 5.7, which does not report it.
  var cgroup: UInt64?

  /// Decodes the payload of a sock_diag(7) message, an inet_diag_msg with attributes; nil when it is too short. It never traps.
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
  /// Lists the TCP listeners and the UDP sockets of the network namespace, over IPv4 and IPv6.
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
