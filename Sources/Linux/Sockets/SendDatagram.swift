import Glibc

/// Sends one AF_UNIX datagram from a new socket; never blocks.
///
/// - Throws: `SystemError`; `EAGAIN` when the receiver's queue is full, `ECONNREFUSED` or `ENOENT` when there is no receiver.
public func sendDatagram(_ bytes: [UInt8], to address: SocketAddress) throws(SystemError) {
  try send(DatagramMessage(bytes: bytes), to: address)
}

/// Sends one AF_UNIX datagram with a descriptor, of which the receiver gets a duplicate; never blocks.
///
/// - Throws: as without a descriptor, and `ETOOMANYREFS` when too many descriptors are in flight.
public func sendDatagram(
  _ bytes: [UInt8], with attached: borrowing OwnedFD, to address: SocketAddress
) throws(SystemError) {
  var message = DatagramMessage(bytes: bytes)
  message.attached = [attached.raw]
  try send(message, to: address)
}

private func send(_ message: DatagramMessage, to address: SocketAddress) throws(SystemError) {
  let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
  let sender = OwnedFD(owning: try retrying("socket") { socket(AF_UNIX, type, 0) })
  var message = message
  message.address = address
  do throws(SystemError) {
    try message.send(on: sender)
  } catch {
    throw SystemError("sendmsg \(address)", errno: error.errno)
  }
}
