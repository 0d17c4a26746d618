import CLinux
import Glibc

/// Lists the sockets of one network namespace: NETLINK_SOCK_DIAG, sock_diag(7).
///
/// It belongs to the network namespace in which it was made. It never blocks.
public final class SockDiag {
  let netlink: NetlinkSocket

  /// - Throws: `SystemError` of socket(2).
  public init() throws(SystemError) { netlink = try NetlinkSocket(.sockDiag) }

  /// Lists the connections, over IPv4 and IPv6, whose local port is one of `localPorts`. Listeners, outgoing connections in SYN-SENT and
  /// connections in TIME-WAIT are left out.
  ///
  /// - Throws: `SystemError` of the request.
  public func tcpConnections(localPorts: Set<UInt16>) throws(SystemError) -> [TCPConnection] {
    guard !localPorts.isEmpty else { return [] }
    let filter = TCPPortFilter.program(for: localPorts)
    var connections: [TCPConnection] = []
    for family in [AF_INET, AF_INET6] {
      var content = inet_diag_req_v2()
      content.sdiag_family = UInt8(family)
      content.sdiag_protocol = UInt8(IPPROTO_TCP)
      content.idiag_ext = UInt8(1 << (INET_DIAG_INFO - 1))
      content.idiag_states = Self.listedStates.reduce(0) { $0 | 1 << UInt32($1.rawValue) }
      let request = NetlinkRequest(Int(SOCK_DIAG_BY_FAMILY), flags: NLM_F_DUMP, content)
      if let filter { request.put(Int(INET_DIAG_REQ_BYTECODE), filter) }
      connections += try netlink.list(request, "sock_diag of TCP") { TCPConnection(diagMessage: $0) }
    }
    return connections.filter { $0.local.port.map(localPorts.contains) ?? false }
  }

  private static let listedStates: [TCPState] = [
    .established, .synReceived, .newSynReceived, .finWait1, .finWait2, .closeWait, .lastAck, .closing,
  ]
}
