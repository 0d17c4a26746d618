import CLinux
import Glibc

/// Asks the kernel about the sockets of one network namespace: NETLINK_SOCK_DIAG, sock_diag(7).
///
/// Belongs to the namespace in which it was made. Never blocks: the kernel has each part of an answer ready when the
/// one before it was read.
public final class SockDiag {
  let socket: OwnedFD
  private var sequence: UInt32 = 0
  /// The kernel fills at most 32 KiB at a time.
  private var buffer = [UInt8](repeating: 0, count: 64 * 1024)

  /// - Throws: `SystemError` of socket(2).
  public init() throws(SystemError) {
    socket = try openNetlink()
  }

  /// The connections whose local port is one of `localPorts`, of both families. Listeners, connections being made by us
  /// and those in TIME-WAIT are left out.
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
      content.idiag_states = Self.askedStates.reduce(0) { $0 | 1 << UInt32($1.rawValue) }
      let attribute = filter.map { (type: Int32(INET_DIAG_REQ_BYTECODE), content: $0) }
      try ask(content, flags: NLM_F_DUMP, attribute: attribute, "sock_diag of TCP") { bytes, sequence in
        decodeTCPConnections(bytes, sequence: sequence, into: &connections)
      }
    }
    return connections.filter { $0.local.port.map(localPorts.contains) ?? false }
  }

  private static let askedStates: [TCPState] = [
    .established, .synReceived, .newSynReceived, .finWait1, .finWait2, .closeWait, .lastAck, .closing,
  ]

  /// Sends a request and hands each part of the answer to `take`, until that says that it was the last.
  func ask<Content: BitwiseCopyable>(
    _ content: Content, flags: Int32, attribute: (type: Int32, content: [UInt8])? = nil,
    _ what: String, _ take: (UnsafeRawBufferPointer, UInt32) -> NetlinkProgress
  ) throws(SystemError) {
    sequence &+= 1
    let request = sockDiagRequest(content, flags: flags, sequence: sequence, attribute: attribute)
    let raw = socket.raw
    // Who does not know whether a guest is used keeps it, and asks again much later.
    try insisting { () throws(SystemError) in
      _ = try retrying(what) { send(raw, request, request.count, Int32(MSG_DONTWAIT)) }
    }
    while true {
      let count = try retrying(what) { recv(raw, &buffer, buffer.count, Int32(MSG_DONTWAIT)) }
      let progress = buffer.withUnsafeBytes { take(UnsafeRawBufferPointer(rebasing: $0.prefix(count)), sequence) }
      switch progress {
      case .more: continue
      case .done: return
      case .failed(let code): throw SystemError(what, errno: code)
      }
    }
  }
}

/// A netlink socket of `protocol` in the network namespace of the calling thread.
func openNetlink(
  _ protocol: Int32 = NETLINK_SOCK_DIAG, _ name: String = "NETLINK_SOCK_DIAG"
) throws(SystemError) -> OwnedFD {
  let type = Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
  return OwnedFD(owning: try retrying("socket \(name)") { socket(AF_NETLINK, type, `protocol`) })
}
