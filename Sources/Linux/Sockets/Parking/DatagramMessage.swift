import CLinux
import Glibc

/// One datagram for sendmsg(2) or recvmsg(2): its bytes, the address of the peer, the packet information of ip(7) and ipv6(7), and
/// descriptors.
struct DatagramMessage {
  /// An address of this machine and its interface (IP_PKTINFO, IPV6_PKTINFO).
  enum PacketInfo: Equatable {
    case ipv4(IPv4Address, interface: UInt32)
    case ipv6(IPv6Address, scope: UInt32)
  }

  var bytes: [UInt8]
  var address: SocketAddress?
  var packetInfo: PacketInfo?
  /// The numbers of the descriptors to send along, which stay open in this process.
  var attached: [Int32] = []

  init(byteCount: Int) { bytes = [UInt8](repeating: 0, count: byteCount) }

  init(bytes: [UInt8]) { self.bytes = bytes }

  /// Receives a datagram into `bytes`; never blocks.
  ///
  /// - Returns: false for a datagram without a sender.
  mutating func receive(from fd: borrowing OwnedFD) throws(SystemError) -> Bool {
    let raw = fd.raw
    var name = sockaddr_storage()
    var control = [UInt8](repeating: 0, count: 256)
    var (nameLength, controlLength, count) = (0, 0, 0)
    try retrying("recvmsg") {
      count = Self.withMessage(&name, &bytes, &control) { message in
        let count = recvmsg(raw, &message, Int32(MSG_DONTWAIT))
        (nameLength, controlLength) = (Int(message.msg_namelen), message.msg_controllen)
        return count
      }
      return count
    }
    bytes.removeSubrange(count...)
    address = withUnsafeBytes(of: name) {
      SocketAddress(sockaddr: UnsafeRawBufferPointer(rebasing: $0.prefix(nameLength)))
    }
    control.withUnsafeBytes { control in
      forEachControlMessage(UnsafeRawBufferPointer(rebasing: control.prefix(controlLength))) { level, type, data in
        packetInfo = PacketInfo(level: level, type: type, data) ?? packetInfo
      }
    }
    return address != nil
  }

  mutating func send(on fd: borrowing OwnedFD) throws(SystemError) {
    let raw = fd.raw
    var name = sockaddr_storage()
    let length = address?.withSockaddr { address, length in
      withUnsafeMutableBytes(of: &name) {
        $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: Int(length)))
      }
      return length
    }
    var control = packetInfo?.controlMessage ?? []
    if !attached.isEmpty {
      control += controlMessage(level: SOL_SOCKET, type: LINUX_SCM_RIGHTS, attached.withUnsafeBytes { Array($0) })
    }
    try retrying("sendmsg") {
      Self.withMessage(&name, &bytes, &control) { message in
        message.msg_namelen = length ?? 0
        return sendmsg(raw, &message, Int32(MSG_NOSIGNAL))
      }
    }
  }

  private static func withMessage(
    _ name: inout sockaddr_storage, _ bytes: inout [UInt8], _ control: inout [UInt8], _ body: (inout msghdr) -> Int
  ) -> Int {
    withUnsafeMutableBytes(of: &name) { name in
      bytes.withUnsafeMutableBytes { bytes in
        control.withUnsafeMutableBytes { control in
          var vector = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
          return withUnsafeMutablePointer(to: &vector) { vector in
            var message = msghdr()
            message.msg_name = name.baseAddress
            message.msg_namelen = socklen_t(name.count)
            message.msg_iov = vector
            message.msg_iovlen = 1
            message.msg_control = control.baseAddress
            message.msg_controllen = control.count
            return body(&message)
          }
        }
      }
    }
  }
}

extension DatagramMessage.PacketInfo {
  /// Reads from a received message the address that it was sent to.
  fileprivate init?(level: Int32, type: Int32, _ data: UnsafeRawBufferPointer) {
    switch (level, type) {
    case (Int32(IPPROTO_IP), IP_PKTINFO) where data.count >= MemoryLayout<in_pktinfo>.size:
      let info = data.loadUnaligned(as: in_pktinfo.self)
      // ipi_addr is the destination in the header, ipi_spec_dst the address to reply from. They differ only for a broadcast.
      self = .ipv4(
        IPv4Address(UInt32(bigEndian: info.ipi_addr.s_addr)), interface: UInt32(bitPattern: info.ipi_ifindex))
    case (Int32(IPPROTO_IPV6), IPV6_PKTINFO) where data.count >= 20:
      // struct in6_pktinfo, which is under _GNU_SOURCE: the address, then the interface.
      let address = data.loadUnaligned(as: in6_addr.self)
      self = .ipv6(IPv6Address(address), scope: data.loadUnaligned(fromByteOffset: 16, as: UInt32.self))
    default: return nil
    }
  }

  /// The control message that sets the source address of a message to send.
  fileprivate var controlMessage: [UInt8] {
    switch self {
    case .ipv4(let address, let interface):
      var info = in_pktinfo()
      info.ipi_ifindex = Int32(bitPattern: interface)
      info.ipi_spec_dst.s_addr = address.value.bigEndian
      return Linux.controlMessage(level: Int32(IPPROTO_IP), type: IP_PKTINFO, withUnsafeBytes(of: info) { Array($0) })
    case .ipv6(let address, let scope):
      let data = withUnsafeBytes(of: in6_addr(address)) { Array($0) } + withUnsafeBytes(of: scope) { Array($0) }
      return Linux.controlMessage(level: Int32(IPPROTO_IPV6), type: IPV6_PKTINFO, data)
    }
  }
}
