import Glibc

/// Sends one AF_UNIX datagram from a socket of its own; never waits.
///
/// - Throws: `SystemError`; `EAGAIN` when the receiver's queue is full, `ECONNREFUSED` or `ENOENT` when there is none.
public func sendDatagram(_ bytes: [UInt8], to address: SocketAddress) throws(SystemError) {
  let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
  let sender = OwnedFD(owning: try retrying("socket") { socket(AF_UNIX, type, 0) })
  let raw = sender.raw
  try retrying("sendto \(address)") {
    address.withSockaddr { sendto(raw, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, $1) } ?? -1
  }
}
