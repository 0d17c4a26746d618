import CLinux
import Glibc

/// One TCP connection, as sock_diag(7) lists it from our end.
public struct TCPConnection: Equatable, Sendable {
  /// Our end. For an IPv4 client at a socket of both families, both addresses are IPv4-mapped IPv6 addresses.
  public var local: SocketAddress
  /// The client's end.
  public var remote: SocketAddress
  /// The state of our end.
  public var state: TCPState
  /// The inode of our end's socket; 0 when no process holds it: it is not accepted yet, half open, or an orphan of the kernel.
  public var inode: UInt32
  /// Identifies the connection: no other connection ever gets the same number (SO_COOKIE).
  public var cookie: UInt64
  /// How many bytes wait to be read (idiag_rqueue). The client's FIN counts as one.
  public var unread: UInt32 = 0
  /// How long ago data came in; nil where the kernel does not report it.
  public var lastReceived: Duration?
  /// How long ago data went out; nil as for `lastReceived`.
  public var lastSent: Duration?
  /// How long ago an acknowledgement came in; nil as for `lastReceived`.
  public var lastAcknowledged: Duration?
  /// How many bytes our end has sent, retransmissions included; nil where the kernel does not report it.
  public var bytesSent: UInt64?

  public init(
    local: SocketAddress, remote: SocketAddress, state: TCPState, inode: UInt32, cookie: UInt64
  ) {
    self.local = local
    self.remote = remote
    self.state = state
    self.inode = inode
    self.cookie = cookie
  }

  /// Whether it is still in a listener's queue, and its client has sent a FIN without any data. No guest could serve such a client.
  public var isSpent: Bool { inode == 0 && state == .closeWait && unread <= 1 }

  /// For how long nothing has passed in either direction.
  public var silence: Duration? {
    [lastReceived, lastSent, lastAcknowledged].compactMap(\.self).min()
  }
}

extension TCPConnection {
  /// Reads what follows the header of a message of sock_diag(7); nil when it is no connection of TCP. No bytes make it trap.
  package init?(diagMessage payload: UnsafeRawBufferPointer) {
    let size = MemoryLayout<inet_diag_msg>.size
    guard payload.count >= size else { return nil }
    let message = payload.loadUnaligned(as: inet_diag_msg.self)
    guard let state = TCPState(rawValue: message.idiag_state),
      let local = message.address(message.id.idiag_src, port: message.id.idiag_sport),
      let remote = message.address(message.id.idiag_dst, port: message.id.idiag_dport)
    else { return nil }
    let (low, high) = message.id.idiag_cookie
    self.init(
      local: local, remote: remote, state: state, inode: message.idiag_inode, cookie: UInt64(high) << 32 | UInt64(low))
    unread = message.idiag_rqueue
    forEachAttribute(in: payload, after: size) { type, content in
      if type == INET_DIAG_INFO { decodeInfo(content) }
    }
  }

  /// Reads struct tcp_info, whose length depends on the kernel. Swift cannot import it because of its bit fields.
  private mutating func decodeInfo(_ info: UnsafeRawBufferPointer) {
    func number<Number: BitwiseCopyable>(at offset: Int, _: Number.Type) -> Number? {
      guard offset + MemoryLayout<Number>.size <= info.count else { return nil }
      return info.loadUnaligned(fromByteOffset: offset, as: Number.self)
    }
    func age(at offset: Int) -> Duration? { number(at: offset, UInt32.self).map { .milliseconds($0) } }
    lastSent = age(at: 44)  // tcpi_last_data_sent
    lastReceived = age(at: 52)  // tcpi_last_data_recv
    lastAcknowledged = age(at: 56)  // tcpi_last_ack_recv
    bytesSent = number(at: 200, UInt64.self)  // tcpi_bytes_sent
  }
}

extension inet_diag_msg {
  fileprivate func address(_ words: (UInt32, UInt32, UInt32, UInt32), port: UInt16) -> SocketAddress? {
    let port = UInt16(bigEndian: port)
    switch Int32(idiag_family) {
    case AF_INET: return .ipv4(IPv4Address(UInt32(bigEndian: words.0)), port: port)
    case AF_INET6:
      let address = IPv6Address(
        high: UInt64(UInt32(bigEndian: words.0)) << 32 | UInt64(UInt32(bigEndian: words.1)),
        low: UInt64(UInt32(bigEndian: words.2)) << 32 | UInt64(UInt32(bigEndian: words.3)))
      return .ipv6(address, port: port, scope: address.isLinkLocal ? id.idiag_if : 0)
    default: return nil
    }
  }
}
