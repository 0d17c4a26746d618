import CLinux
import Glibc
import Testing

@testable import Linux

@Suite("Datagrams with credentials")
struct SocketCredentialsTests {
  @Test("a datagram carries its sender's pid, uid and gid")
  func credentials() throws {
    let pair = try SocketPair(SOCK_DGRAM)
    try passCredentials(on: pair.mine)
    #expect(send(pair.theirs.raw, "READY=1", 7, 0) == 7)
    let message = try receive(from: pair.mine)
    let bytes = message.bytes
    #expect(bytes == Array("READY=1".utf8))
    #expect(message.sender == SocketCredentials(pid: getpid(), uid: getuid(), gid: getgid()))
    let truncated = message.isTruncated
    #expect(!truncated)
  }

  @Test("the sender of a datagram is distinguished from another process by its pidfd")
  func pidfd() throws {
    let pair = try SocketPair(SOCK_DGRAM)
    try passCredentials(on: pair.mine)
    #expect(send(pair.theirs.raw, "x", 1, 0) == 1)
    let message = try receive(from: pair.mine)
    let me = OwnedFD(owning: pidfd_open(getpid(), 0))
    let parent = OwnedFD(owning: pidfd_open(getppid(), 0))
    let fromMe = message.isFrom(pid: getpid(), pidfd: me)
    let fromParent = message.isFrom(pid: getppid(), pidfd: parent)
    #expect(fromMe == true)
    #expect(fromParent == false)
    #expect(isSameProcess(me, parent) != true)
  }

  @Test("an empty queue has no datagram, and an empty datagram is one")
  func empty() throws {
    let pair = try SocketPair(SOCK_DGRAM)
    try passCredentials(on: pair.mine)
    let none = try receiveCredentialed(from: pair.mine, limit: 64)
    let isNone = none == nil
    #expect(isNone)
    #expect(send(pair.theirs.raw, "", 0, 0) == 0)
    let some = try receive(from: pair.mine)
    let count = some.bytes.count
    #expect(count == 0)
  }

  @Test("a datagram that is longer than the limit is truncated and marked as such")
  func truncation() throws {
    let pair = try SocketPair(SOCK_DGRAM)
    try passCredentials(on: pair.mine)
    let long = [UInt8](repeating: 65, count: 100)
    #expect(send(pair.theirs.raw, long, 100, 0) == 100)
    let message = try receive(from: pair.mine, limit: 10)
    let bytes = message.bytes
    let truncated = message.isTruncated
    #expect(bytes == [UInt8](repeating: 65, count: 10))
    #expect(truncated == true)
  }

  @Test("all 253 descriptors attached to a datagram are closed")
  func descriptors() throws {
    let pair = try SocketPair(SOCK_DGRAM)
    try passCredentials(on: pair.mine)
    let attached = try SocketPair(SOCK_STREAM)
    let reader = attached.mine
    do {
      let writer = attached.theirs
      #expect(sendDescriptors(over: pair.theirs, Array(repeating: writer.raw, count: 253)) == 1)
    }
    let message = try receive(from: pair.mine)
    let sender = message.sender.pid
    let truncated = message.isTruncated
    #expect(sender == getpid())
    #expect(truncated == false)
    // The end of the file shows that no writer is left, in the queue or in this process.
    var byte: UInt8 = 0
    try waitForInput(reader)
    #expect(read(reader.raw, &byte, 1) == 0)
  }

  @Test("a datagram that was queued before credentials were turned on has no sender")
  func early() throws {
    let pair = try SocketPair(SOCK_DGRAM)
    #expect(send(pair.theirs.raw, "x", 1, 0) == 1)
    try passCredentials(on: pair.mine)
    let message = try receive(from: pair.mine)
    let pid = message.sender.pid
    #expect(pid == 0)
  }
}

private func receive(from fd: borrowing OwnedFD, limit: Int = 64) throws(SystemError) -> CredentialedDatagram {
  if let message = try receiveCredentialed(from: fd, limit: limit) { return message }
  throw SystemError("recvmsg", errno: EAGAIN)
}

/// Two AF_UNIX sockets connected with each other.
struct SocketPair: ~Copyable {
  let mine: OwnedFD
  let theirs: OwnedFD

  init(_ type: __socket_type) throws(SystemError) {
    var ends: [Int32] = [0, 0]
    try retrying("socketpair") { socketpair(AF_UNIX, Int32(type.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) }
    mine = OwnedFD(owning: ends[0])
    theirs = OwnedFD(owning: ends[1])
  }
}

/// sendmsg(2) of one byte with descriptors attached.
private func sendDescriptors(over fd: borrowing OwnedFD, _ attached: [Int32]) -> Int {
  let raw = fd.raw
  let header = MemoryLayout<cmsghdr>.size
  var control = [UInt8](repeating: 0, count: header + attached.count * 4 + 8)
  return control.withUnsafeMutableBytes { control in
    var head = cmsghdr()
    head.cmsg_len = header + attached.count * 4
    head.cmsg_level = SOL_SOCKET
    head.cmsg_type = LINUX_SCM_RIGHTS
    control.storeBytes(of: head, as: cmsghdr.self)
    attached.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: control[header...]).copyMemory(from: $0) }
    var byte: UInt8 = 120
    return withUnsafeMutablePointer(to: &byte) { byte in
      var vector = iovec(iov_base: byte, iov_len: 1)
      return withUnsafeMutablePointer(to: &vector) { vector in
        var message = msghdr()
        message.msg_iov = vector
        message.msg_iovlen = 1
        message.msg_control = control.baseAddress
        message.msg_controllen = header + attached.count * 4
        return sendmsg(raw, &message, 0)
      }
    }
  }
}
