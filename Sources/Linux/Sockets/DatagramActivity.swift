import CLinux
import Glibc

/// When the last datagram was taken from this socket, as time since 1970 (CLOCK_REALTIME): SIOCGSTAMPNS, socket(7).
///
/// The first call switches the stamps on, for all who share the socket; without it the kernel remembers nothing. So it
/// has to be made when the socket is handed to a guest. The stamp is the datagram's arrival, kept when it is received;
/// one that waits unread is not in it (`queuedBytes`). The kernel switches over in the background, so that one that comes
/// meanwhile, or came before, gets the time of the call that asks for it.
/// - Returns: nil when none has been taken since, and always for AF_UNIX, which keeps no stamps.
/// - Throws: `SystemError` of ioctl(2).
public func lastDatagram(on fd: borrowing OwnedFD) throws(SystemError) -> Duration? {
  let raw = fd.raw
  var time = timespec()
  do throws(SystemError) {
    try retrying("ioctl SIOCGSTAMPNS") { ioctl(raw, LINUX_SIOCGSTAMPNS, &time) }
  } catch {
    guard error.errno == ENOENT || error.errno == ENOTTY else { throw error }
    return nil
  }
  return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
}

/// How much memory the datagrams take that wait to be received, in bytes; 0 means that none waits.
///
/// For AF_UNIX the size of the first: there the queue is charged to its senders, so an empty datagram goes unseen here
/// and is found by `hasInput`.
/// - Throws: `SystemError` of getsockopt(2) or ioctl(2).
public func queuedBytes(on fd: borrowing OwnedFD) throws(SystemError) -> Int {
  if try localAddress(of: fd).family == AF_UNIX {
    let raw = fd.raw
    var size: Int32 = 0
    try retrying("ioctl FIONREAD") { ioctl(raw, UInt(FIONREAD), &size) }
    return Int(size)
  }
  let memory = try option(fd, SOL_SOCKET, LINUX_SO_MEMINFO, initially: [9 of UInt32](repeating: 0), named: "SO_MEMINFO")
  return Int(memory[Int(SK_MEMINFO_RMEM_ALLOC)])
}
