import CLinux
import Glibc

/// Resets the clients queued at a TCP listener that a guest has or had. It shuts the listener down, and makes it listen again at once,
/// so that nobody else takes its port. It does not accept the clients, because the guest could make accept4(2) block.
///
/// In a SO_REUSEPORT group the listener loses its index, and becomes the last member.
/// - Returns: how many clients were queued.
/// - Throws: `SystemError`; `EINVAL` for a listener that somebody has shut down.
public func resetQueued(at listener: borrowing OwnedFD, backlog: UInt32) throws(SystemError) -> Int {
  let count = try acceptQueueLength(of: listener)
  if count == 0 { return 0 }
  let address = try localAddress(of: listener)
  try shutDown(listener)
  try insisting { () throws(SystemError) in try listen(on: listener, at: address, backlog: backlog) }
  return count
}

/// Receives and drops at most `limit` datagrams of a UDP socket. It never blocks (MSG_DONTWAIT), whatever other holders of the socket do.
///
/// - Returns: how many were dropped; `limit` means that more may be queued.
/// - Throws: `SystemError`; `EINVAL` for a socket that somebody has shut down, because recv(2) there would return 0 for ever.
public func dropQueued(at socket: borrowing OwnedFD, limit: Int) throws(SystemError) -> Int {
  if try isShutDown(socket) { throw SystemError("recv", errno: EINVAL) }
  var byte: UInt8 = 0
  var dropped = 0
  // recv(2) reports any error but EAGAIN once, in place of a datagram, so that counts as one.
  while dropped < limit, recv(socket.raw, &byte, 1, Int32(MSG_DONTWAIT)) >= 0 || errno != EAGAIN { dropped += 1 }
  return dropped
}

/// A process that refuses the clients of AF_UNIX sockets that a guest has or had: it accepts and closes their connections, and drops their
/// datagrams. It is killed when this object is released, or when the thread that made it ends.
///
/// It is a process of its own because a guest can make accept4(2) block, and descriptors that clients have attached may take long to close.
/// An AF_UNIX listener cannot be shut down instead, because it cannot listen again.
public final class RefusingProcess {
  /// An eventfd(2), readable when clients have been refused: call `refused`.
  public let descriptor: OwnedFD
  private let pid: Int32

  /// - Parameter sockets: duplicates of the sockets. The process inherits them; the caller may release the list afterwards.
  /// - Throws: `SystemError` of eventfd(2) or fork(2).
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
