import CLinux
import Glibc

/// Resets the clients queued at a TCP listener that a guest has, or had. It accepts none: the guest could make accept4(2) block. The listener
/// is shut down and listens again at once, so that nobody else can take its port.
///
/// It leaves its place in a reuseport group, and joins as the last member.
/// - Returns: how many were queued.
/// - Throws: `SystemError`; `EINVAL` for a listener that somebody has shut down.
public func resetQueued(at listener: borrowing OwnedFD, backlog: UInt32) throws(SystemError) -> Int {
  let count = try acceptQueueLength(of: listener)
  if count == 0 { return 0 }
  let address = try localAddress(of: listener)
  try shutDown(listener)
  try insisting { () throws(SystemError) in try listen(on: listener, at: address, backlog: backlog) }
  return count
}

/// Receives and drops at most `limit` datagrams of a UDP socket. It never blocks, whatever its other holders do.
///
/// - Returns: how many were dropped; `limit` means that more may be queued.
/// - Throws: `SystemError`; `EINVAL` for a socket that somebody has shut down: it would report an empty datagram for ever.
public func dropQueued(at socket: borrowing OwnedFD, limit: Int) throws(SystemError) -> Int {
  if try isShutDown(socket) { throw SystemError("recv", errno: EINVAL) }
  var byte: UInt8 = 0
  var dropped = 0
  // An error other than EAGAIN is reported once, in place of a datagram.
  while dropped < limit, recv(socket.raw, &byte, 1, Int32(MSG_DONTWAIT)) >= 0 || errno != EAGAIN { dropped += 1 }
  return dropped
}

/// A process that refuses the clients of AF_UNIX sockets that a guest has, or had: it accepts and closes their connections, and drops their
/// datagrams. It ends with this value, or with the thread that made it.
///
/// AF_UNIX cannot undo a shutdown(2), a guest can make accept4(2) block, and what clients have attached may take long to close.
public final class RefusingProcess {
  /// Readable when clients have been refused.
  public let descriptor: OwnedFD
  private let pid: Int32

  /// - Parameter sockets: duplicates of the sockets, which are closed in this process.
  /// - Throws: `SystemError` of fork(2) or eventfd(2).
  public init(at sockets: DescriptorList) throws(SystemError) {
    let counter = OwnedFD(owning: try retrying("eventfd") { linux_make_counter() })
    let kept = (sockets.numbers + [counter.raw]).sorted()
    let refuses: [UInt8] = kept.map { $0 == counter.raw ? 0 : 1 }
    let number = counter.raw
    pid = try retrying("fork") { linux_start_refuser(kept, refuses, UInt32(kept.count), number) }
    descriptor = counter
  }

  deinit { linux_end_refuser(pid) }

  /// How many clients were refused since the last call.
  public func refused() -> Int { Int(clamping: linux_read_counter(descriptor.raw)) }
}
