import CLinux
import Glibc

/// Lists the sockets of one network namespace: NETLINK_SOCK_DIAG, sock_diag(7).
///
/// It belongs to the network namespace in which it was made. It never blocks.
public final class SockDiag {
  let netlink: NetlinkSocket

  /// - Throws: `SystemError` of socket(2).
  public init() throws(SystemError) { netlink = try NetlinkSocket(.sockDiag) }

  /// Lists the connections, over IPv4 and IPv6, whose local port is one of `localPorts`. It leaves out listeners, and connections in their
  /// handshake or in TIME-WAIT.
  ///
  /// - Throws: `SystemError` of the request.
  public func tcpConnections(localPorts: Set<UInt16>) throws(SystemError) -> [TCPConnection] {
    try connections(AF_INET, localPorts, Self.listedStates) + connections(AF_INET6, localPorts, Self.listedStates)
  }

  /// Lists the connections that listeners at these addresses may have accepted, or have in their queues: those with the same family and
  /// local port. For each family the kernel walks all connections of the host, so a family without a listener is not requested.
  ///
  /// - Throws: `SystemError` of the request.
  public func tcpConnections(at listeners: [SocketAddress]) throws(SystemError) -> [TCPConnection] {
    var found: [TCPConnection] = []
    for (family, ports) in Self.ports(of: listeners) { found += try connections(family, ports, Self.listedStates) }
    return found
  }

  /// Whether there is a half-open connection (SYN-RECEIVED) with the family and local port of one of these listeners.
  ///
  /// - Throws: `SystemError` of the request.
  public func isAnyHalfOpen(at listeners: [SocketAddress]) throws(SystemError) -> Bool {
    for (family, ports) in Self.ports(of: listeners) {
      if try !connections(family, ports, [.synReceived, .newSynReceived]).isEmpty { return true }
    }
    return false
  }

  private func connections(
    _ family: Int32, _ ports: Set<UInt16>, _ states: [TCPState]
  ) throws(SystemError) -> [TCPConnection] {
    if ports.isEmpty { return [] }
    var content = inet_diag_req_v2()
    content.sdiag_family = UInt8(family)
    content.sdiag_protocol = UInt8(IPPROTO_TCP)
    content.idiag_ext = UInt8(1 << (INET_DIAG_INFO - 1))
    content.idiag_states = states.reduce(0) { $0 | 1 << UInt32($1.rawValue) }
    let request = NetlinkRequest(Int(SOCK_DIAG_BY_FAMILY), flags: NLM_F_DUMP, content)
    if let filter = TCPPortFilter.program(for: ports) { request.put(Int(INET_DIAG_REQ_BYTECODE), filter) }
    return try netlink.list(request, "sock_diag of TCP") { TCPConnection(diagMessage: $0) }
      .filter { $0.local.port.map(ports.contains) ?? false }
  }

  private static func ports(of listeners: [SocketAddress]) -> [(family: Int32, ports: Set<UInt16>)] {
    [AF_INET, AF_INET6].map { family in
      (family, Set(listeners.filter { $0.family == family }.compactMap(\.port)))
    }
  }

  private static let listedStates: [TCPState] = [
    .established, .finWait1, .finWait2, .closeWait, .lastAck, .closing,
  ]
}
