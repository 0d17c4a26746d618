import CLinux
import Glibc

/// One AF_UNIX datagram and who sent it.
public struct CredentialedDatagram: ~Copyable, Sendable {
  /// At most as many bytes as the receiver allowed.
  public let bytes: [UInt8]
  /// The datagram was longer than allowed, or more was attached to it than a datagram may carry.
  public let isTruncated: Bool
  /// As the kernel vouches for it.
  public let sender: SocketCredentials
  /// The sender itself, since Linux 6.5.
  public let senderPidfd: OwnedFD?

  /// Whether the sender is the process `pidfd`, whose number in our PID namespace is `pid`.
  ///
  /// Safe against reuse of the number as long as that process has not been waited for.
  public func isFrom(pid: Int32, pidfd: borrowing OwnedFD) -> Bool {
    guard sender.pid == pid, pid > 0 else { return false }
    switch senderPidfd {
    case .some(let mine): return isSameProcess(mine, pidfd) ?? true
    case .none: return true
    }
  }
}

/// Makes the kernel attach credentials (and, where it can, a pidfd) to every message received from now on.
///
/// To be called before bind(2): a datagram queued earlier says only that nobody sent it.
/// - Throws: `SystemError` of setsockopt(2).
public func passCredentials(on fd: borrowing OwnedFD) throws(SystemError) {
  try setOption(fd, SOL_SOCKET, SO_PASSCRED, Int32(1), named: "SO_PASSCRED")
  do throws(SystemError) {
    try setOption(fd, SOL_SOCKET, LINUX_SO_PASSPIDFD, Int32(1), named: "SO_PASSPIDFD")
  } catch {
    // Linux 6.5 brought it; without it the numbers have to do.
    guard error.errno == ENOPROTOOPT else { throw error }
  }
}

/// Receives one datagram from a socket after `passCredentials(on:)` without waiting.
///
/// Descriptors that the sender attached are closed at once.
/// - Parameters:
///   - fd: the socket.
///   - limit: the most bytes to take; the rest of a longer datagram is lost and `isTruncated` says so.
/// - Returns: nil when there is none.
/// - Throws: `SystemError` of recvmsg(2).
public func receiveCredentialed(
  from fd: borrowing OwnedFD, limit: Int
) throws(SystemError) -> CredentialedDatagram? {
  let raw = fd.raw
  var flags: Int32 = 0
  // Room for all that one message may carry (SCM_MAX_FD is 253), so that everything in it reaches us to be closed.
  var control = [UInt8](repeating: 0, count: 2048)
  var controlLength = 0
  var bytes = [UInt8](repeating: 0, count: limit)
  let count: Int
  do throws(SystemError) {
    count = try retrying("recvmsg") {
      receive(raw, into: &bytes, control: &control, controlLength: &controlLength, flags: &flags)
    }
  } catch {
    guard error.errno == EAGAIN else { throw error }
    return nil
  }
  bytes.removeSubrange(count...)
  var attached = Attached()
  control.withUnsafeBytes { attached.take(UnsafeRawBufferPointer(rebasing: $0.prefix(controlLength))) }
  let truncation = Int32(MSG_TRUNC | MSG_CTRUNC)
  return CredentialedDatagram(
    bytes: bytes, isTruncated: flags & truncation != 0, sender: attached.sender, senderPidfd: attached.takePidfd())
}

private func receive(
  _ fd: Int32, into bytes: inout [UInt8], control: inout [UInt8], controlLength: inout Int, flags: inout Int32
) -> Int {
  bytes.withUnsafeMutableBytes { bytes in
    control.withUnsafeMutableBytes { control in
      var vector = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
      return withUnsafeMutablePointer(to: &vector) { vector in
        var message = msghdr()
        message.msg_iov = vector
        message.msg_iovlen = 1
        message.msg_control = control.baseAddress
        message.msg_controllen = control.count
        let count = recvmsg(fd, &message, Int32(MSG_DONTWAIT | MSG_CMSG_CLOEXEC))
        controlLength = message.msg_controllen
        flags = message.msg_flags
        return count
      }
    }
  }
}

/// What came beside the bytes of a message.
private struct Attached: ~Copyable {
  var sender = SocketCredentials.nobody
  var pidfd: OwnedFD?

  mutating func takePidfd() -> OwnedFD? { pidfd.take() }

  mutating func take(_ control: UnsafeRawBufferPointer) {
    forEachControlMessage(control) { level, type, data in
      if level == SOL_SOCKET { take(data, type: type) }
    }
  }

  private mutating func take(_ data: UnsafeRawBufferPointer, type: Int32) {
    if type == LINUX_SCM_CREDENTIALS, data.count >= MemoryLayout<linux_ucred>.size {
      let credentials = data.loadUnaligned(as: linux_ucred.self)
      sender = SocketCredentials(pid: credentials.pid, uid: credentials.uid, gid: credentials.gid)
    } else if type == LINUX_SCM_PIDFD || type == LINUX_SCM_RIGHTS {
      for offset in stride(from: 0, through: data.count - 4, by: 4) {
        let raw = data.loadUnaligned(fromByteOffset: offset, as: Int32.self)
        // For want of a free number the kernel sends -EMFILE in the pidfd's place.
        guard raw >= 0 else { continue }
        let received = OwnedFD(owning: raw)
        if type == LINUX_SCM_PIDFD { pidfd = consume received } else { discard(received) }
      }
    }
  }

  /// Closes a descriptor that nobody asked for. A socket with SO_LINGER on would make close(2) wait for its peer.
  private func discard(_ received: consuming OwnedFD) {
    var off = linger()
    _ = setsockopt(received.raw, SOL_SOCKET, SO_LINGER, &off, socklen_t(MemoryLayout<linger>.size))
  }
}
