import CLinux
import Glibc

/// One AF_UNIX datagram with its sender.
public struct CredentialedDatagram: ~Copyable, Sendable {
  /// The bytes, at most as many as the receiver allowed.
  public let bytes: [UInt8]
  /// Whether the datagram was longer than allowed, or had more attached to it than a datagram may carry.
  public let isTruncated: Bool
  /// The credentials of the sender, which the kernel attests.
  public let sender: SocketCredentials
  /// A pidfd of the sender, since Linux 6.5.
  let senderPidfd: OwnedFD?

  /// Whether the sender is the process `pidfd`, whose number in our PID namespace is `pid`.
  ///
  /// The number cannot have been reused as long as that process has not been reaped.
  public func isFrom(pid: Int32, pidfd: borrowing OwnedFD) -> Bool {
    guard sender.pid == pid, pid > 0 else { return false }
    switch senderPidfd {
    case .some(let mine): return isSameProcess(mine, pidfd) ?? true
    case .none: return true
    }
  }
}

/// Makes the kernel attach credentials (and a pidfd, if it supports that) to every message received from now on.
///
/// Call it before bind(2): a datagram that was queued earlier has no sender.
/// - Throws: `SystemError` of setsockopt(2).
func passCredentials(on fd: borrowing OwnedFD) throws(SystemError) {
  try setOption(fd, SOL_SOCKET, SO_PASSCRED, Int32(1), named: "SO_PASSCRED")
  do throws(SystemError) {
    try setOption(fd, SOL_SOCKET, LINUX_SO_PASSPIDFD, Int32(1), named: "SO_PASSPIDFD")
  } catch {
    // An older kernel than Linux 6.5 has no SO_PASSPIDFD. Then the process is identified by its number only.
    guard error.errno == ENOPROTOOPT else { throw error }
  }
}

/// Clears SO_PASSRIGHTS (Linux 6.16): a sender that attaches descriptors gets `EPERM`. On an older kernel this does nothing.
func refuseDescriptors(on fd: borrowing OwnedFD) throws(SystemError) {
  do throws(SystemError) {
    try setOption(fd, SOL_SOCKET, LINUX_SO_PASSRIGHTS, Int32(0), named: "SO_PASSRIGHTS")
  } catch {
    guard error.errno == ENOPROTOOPT else { throw error }
  }
}

/// Receives one datagram from a socket on which `passCredentials(on:)` was called; never blocks.
///
/// Another thread closes descriptors that the sender attached.
/// - Parameters:
///   - fd: the socket.
///   - limit: the most bytes to receive; the rest of a longer datagram is lost, and `isTruncated` is set.
/// - Returns: nil when no datagram is queued.
/// - Throws: `SystemError` of recvmsg(2).
public func receiveCredentialed(
  from fd: borrowing OwnedFD, limit: Int
) throws(SystemError) -> CredentialedDatagram? {
  let raw = fd.raw
  var flags: Int32 = 0
  // Room for everything that one message can carry (SCM_MAX_FD is 253): only descriptors that are received can be closed.
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
  control.withUnsafeBytes { attached.read(UnsafeRawBufferPointer(rebasing: $0.prefix(controlLength))) }
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

/// What is attached to a message, beside its bytes.
private struct Attached: ~Copyable {
  var sender = SocketCredentials.nobody
  var pidfd: OwnedFD?

  mutating func takePidfd() -> OwnedFD? { pidfd.take() }

  mutating func read(_ control: UnsafeRawBufferPointer) {
    forEachControlMessage(control) { level, type, data in
      if level == SOL_SOCKET { read(data, type: type) }
    }
  }

  private mutating func read(_ data: UnsafeRawBufferPointer, type: Int32) {
    if type == LINUX_SCM_CREDENTIALS, data.count >= MemoryLayout<linux_ucred>.size {
      let credentials = data.loadUnaligned(as: linux_ucred.self)
      sender = SocketCredentials(pid: credentials.pid, uid: credentials.uid, gid: credentials.gid)
    } else if type == LINUX_SCM_PIDFD || type == LINUX_SCM_RIGHTS {
      for offset in stride(from: 0, through: data.count - 4, by: 4) {
        let raw = data.loadUnaligned(fromByteOffset: offset, as: Int32.self)
        // When this process has no descriptor left, the kernel sends -EMFILE in place of the pidfd.
        guard raw >= 0 else { continue }
        if type == LINUX_SCM_PIDFD {
          pidfd = OwnedFD(owning: raw)
        } else {
          // It is not wanted. It may be the last descriptor of an open file whose close(2) takes long.
          _ = OwnedFD(owning: raw, closing: .elsewhere)
        }
      }
    }
  }
}
