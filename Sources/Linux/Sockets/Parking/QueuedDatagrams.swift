import CLinux
import Glibc

/// A UDP datagram taken from a queue, with what is needed to send it again.
struct QueuedDatagram: Equatable, Sendable {
  /// The client's address. An IPv4 client has its IPv4 address, also at a socket that serves both families.
  var source: SocketAddress
  /// The address of this machine that the client sent it to.
  var destination: SocketAddress
  /// The payload.
  var bytes: [UInt8]
}

/// Makes the kernel report the destination address of each datagram, also of those that are queued already. A socket at 0.0.0.0 or [::]
/// does not know it otherwise, and the destination must stay the same when `DatagramResend` sends the datagram again.
///
/// While it is on, a guest that holds the socket receives control messages that it did not request, so turn it off soon.
/// - Parameters:
///   - wanted: whether the kernel reports it.
///   - fd: a UDP socket.
/// - Returns: whether the kernel reported it before.
/// - Throws: `SystemError` of getsockopt(2) or setsockopt(2).
@discardableResult
func reportDestinations(_ wanted: Bool = true, on fd: borrowing OwnedFD) throws(SystemError) -> Bool {
  let isIPv6 = try localAddress(of: fd).family == AF_INET6
  let (level, number, name) =
    isIPv6
    ? (Int32(IPPROTO_IPV6), IPV6_RECVPKTINFO, "IPV6_RECVPKTINFO") : (Int32(IPPROTO_IP), IP_PKTINFO, "IP_PKTINFO")
  let before = try option(fd, level, number, initially: Int32(0), named: name) != 0
  if before != wanted { try setOption(fd, level, number, Int32(wanted ? 1 : 0), named: name) }
  return before
}

/// Receives one datagram from the queue of a UDP socket after `reportDestinations(on:)`; never blocks.
///
/// - Returns: nil when none is queued.
/// - Throws: `SystemError` of recvmsg(2), which reports an error from ICMP once, in place of a datagram.
func receiveDatagram(from fd: borrowing OwnedFD) throws(SystemError) -> QueuedDatagram? {
  let local = try localAddress(of: fd)
  var message = DatagramMessage(byteCount: Int(UInt16.max))
  do throws(SystemError) {
    guard try message.receive(from: fd) else { return nil }
  } catch {
    if error.errno == EAGAIN { return nil }
    throw error
  }
  guard let source = message.address, let port = local.port else { return nil }
  let destination =
    switch message.packetInfo {
    case .ipv4(let address, _): SocketAddress.ipv4(address, port: port)
    case .ipv6(let address, let scope): SocketAddress.ipv6(address, port: port, scope: address.isLinkLocal ? scope : 0)
    case nil: local
    }
  return QueuedDatagram(source: source.unmapped, destination: destination.unmapped, bytes: message.bytes)
}

/// Sends datagrams again, from their original senders' addresses. The kernel delivers them to the socket that it chooses for their
/// destination, which is the side that a `ReuseportSteering` steers to.
///
/// It uses raw sockets that may set a foreign source address (raw(7), IP_TRANSPARENT). The destination is this machine, whose kernel does
/// not check whether a sender is reachable that way. It needs CAP_NET_RAW and CAP_NET_ADMIN.
struct DatagramResend: ~Copyable {
  private let ipv4: OwnedFD
  private let ipv6: OwnedFD?

  /// Opens the raw sockets.
  ///
  /// - Throws: `SystemError`; `EPERM` without the capabilities.
  init() throws(SystemError) {
    let socket = try Self.open(AF_INET)
    try setOption(socket, Int32(IPPROTO_IP), IP_TRANSPARENT, Int32(1), named: "IP_TRANSPARENT")
    let socket6 = try Self.openIPv6()
    ipv4 = socket
    ipv6 = socket6
  }

  /// Sends a datagram again.
  ///
  /// - Throws: `SystemError` of sendmsg(2); the datagram is not sent.
  func send(_ datagram: QueuedDatagram) throws(SystemError) {
    let (source, destination) = (datagram.source.port ?? 0, datagram.destination.port ?? 0)
    let length = UInt16(clamping: datagram.bytes.count + 8)
    // The UDP header: ports, length, and a checksum of 0, which means none in IPv4.
    let header = [source, destination, length, 0].flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
    var message = DatagramMessage(bytes: header + datagram.bytes)
    switch (datagram.source, datagram.destination) {
    case (.ipv4(let sender, _), .ipv4(let receiver, _)):
      message.packetInfo = .ipv4(sender, interface: 0)
      message.address = .ipv4(receiver, port: 0)
      try message.send(on: ipv4)
    case (.ipv6(let sender, _, let scope), .ipv6(let receiver, _, let interface)):
      message.packetInfo = .ipv6(sender, scope: scope)
      message.address = .ipv6(receiver, port: 0, scope: interface)
      switch ipv6 {
      case .some(let socket): try message.send(on: socket)
      case .none: throw SystemError("sendmsg", errno: EAFNOSUPPORT)
      }
    default: throw SystemError("sendmsg", errno: EAFNOSUPPORT)
    }
  }

  /// - Returns: nil on a machine without IPv6, which has no IPv6 datagrams to send again.
  private static func openIPv6() throws(SystemError) -> OwnedFD? {
    do throws(SystemError) {
      let socket = try open(AF_INET6)
      try setOption(socket, Int32(IPPROTO_IPV6), IPV6_TRANSPARENT, Int32(1), named: "IPV6_TRANSPARENT")
      // The offset of the checksum in the UDP header. IPv6 requires one, and the kernel computes it.
      try setOption(socket, Int32(IPPROTO_IPV6), IPV6_CHECKSUM, Int32(6), named: "IPV6_CHECKSUM")
      return socket
    } catch {
      guard error.errno == EAFNOSUPPORT else { throw error }
      return nil
    }
  }

  private static func open(_ family: Int32) throws(SystemError) -> OwnedFD {
    let type = Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    return OwnedFD(owning: try retrying("socket SOCK_RAW") { socket(family, type, Int32(IPPROTO_UDP)) })
  }
}
