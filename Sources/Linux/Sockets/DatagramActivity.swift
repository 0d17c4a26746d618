import CLinux
import Glibc

/// Reads when the last datagram that somebody received from this socket had arrived, as time since 1970 (CLOCK_REALTIME): SIOCGSTAMPNS,
/// socket(7).
///
/// The first call turns timestamps on, for everybody who shares the socket. Before that the kernel records nothing, so make it when a
/// guest gets the socket. A datagram that is still queued does not count (see `queuedBytes`). The kernel turns timestamps on in the
/// background: a datagram that arrives meanwhile, or arrived before, gets the time of this call.
/// - Returns: nil when nobody has received a datagram since, and always for AF_UNIX, which has no timestamps.
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

/// Reads how many bytes of memory the queued datagrams take; 0 means that none is queued.
///
/// For AF_UNIX it is the size of the first datagram, because the kernel charges that queue to the senders. An empty datagram counts as 0
/// there; `hasInput` finds it.
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
