import CSystemd
import Glibc
import Linux
import Systemd
import Testing

@Suite struct NotifySocketTests {
  @Test("the messages of the guest's PID 1 are received in order")
  func reads() throws {
    try withSocket { socket, path in
      try send("STATUS=one", to: path)
      try send("READY=1", to: path)
      let messages = try receive(socket, from: getpid())
      #expect(messages.map(\.status) == ["one", nil])
      #expect(messages.map(\.isReady) == [false, true])
      #expect(try receive(socket, from: getpid()).isEmpty)
    }
  }

  @Test("a path may be longer than the address of a socket")
  func longPath() throws {
    let directory = "/tmp/dormouse-notify-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    let (long, link) = (directory + "/" + String(repeating: "d", count: 100), directory + "/short")
    try makeDirectories(long)
    try retrying("symlink") { symlink(long, link) }
    do {
      let socket = try NotifySocket(path: long + "/web.100.notify")
      try send("READY=1", to: link + "/web.100.notify")
      #expect(try receive(socket, from: getpid()).map(\.isReady) == [true])
      var status = stat()
      #expect(stat(long + "/web.100.notify", &status) == 0 && status.st_mode & 0o7777 == 0o200)
    }
    #expect(rmdir(long) == 0 && unlink(link) == 0 && rmdir(directory) == 0)
  }

  @Test("the messages of another process are dropped")
  func otherProcess() throws {
    try withSocket { socket, path in
      try send("READY=1", to: path)
      #expect(try receive(socket, from: 1).isEmpty)
      #expect(try receive(socket, from: 0).isEmpty)
    }
  }

  @Test("a message that is too long is dropped, and the next one is received")
  func tooLong() throws {
    try withSocket { socket, path in
      try send("READY=1\nSTATUS=" + String(repeating: "x", count: 5000), to: path)
      try send("STATUS=short", to: path)
      #expect(try receive(socket, from: getpid()).map(\.status) == ["short"])
    }
  }

  @Test("descriptors attached to a message are refused, or closed where the kernel is older than Linux 6.16")
  func attached() throws {
    try withSocket { socket, path in
      var ends: [Int32] = [-1, -1]
      try retrying("socketpair") {
        socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends)
      }
      let reading = OwnedFD(owning: ends[0])
      let writing = OwnedFD(owning: ends[1])
      var isRefused = false
      do {
        try send("READY=1", to: path, attaching: writing.raw)
      } catch let error as SystemError where error.errno == EPERM {
        isRefused = true
      }
      close(writing.release())
      #expect(try receive(socket, from: getpid()).map(\.isReady) == (isRefused ? [] : [true]))
      // The hang-up shows that no copy of the writing end is left, once another test's child has executed its program.
      var entry = pollfd(fd: reading.raw, events: Int16(POLLIN), revents: 0)
      #expect(poll(&entry, 1, 60_000) == 1 && Int32(entry.revents) & POLLHUP != 0)
    }
  }

  @Test("one call receives a limited number of messages, and the notify socket stays readable for the rest")
  func bounded() throws {
    try withSocket { socket, path in
      var sent = 0
      // Until the queue is full, or longer than one batch.
      while sent <= NotifySocket.batch {
        do { try send("READY=1", to: path, flags: Int32(MSG_DONTWAIT)) } catch { break }
        sent += 1
      }
      let first = try receive(socket, from: getpid()).count
      #expect(first == min(sent, NotifySocket.batch))
      #expect(try receive(socket, from: getpid()).count == sent - first)
    }
  }

  @Test("of what a process has left only the last messages are understood, when that is asked for")
  func lastWords() throws {
    try withSocket { socket, path in
      for number in 1...5 { try send("STATUS=\(number)", to: path) }
      let last = try receive(socket, from: getpid(), atMost: NotifySocket.queue, keeping: 2)
      #expect(last.map(\.status) == ["4", "5"])
      #expect(socket.received == 5)
    }
  }

  @Test("the file of a notify socket is accessible for root only, replaces a stale one, and is removed with the socket")
  func file() throws {
    let path = "/tmp/dormouse-notify-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    defer { unlink(path) }
    var status = stat()
    do {
      let first = try NotifySocket(path: path)
      let second = try NotifySocket(path: path)
      #expect(stat(path, &status) == 0)
      #expect(status.st_mode & 0o777 == 0o200)
      try send("READY=1", to: path)
      #expect(try receive(first, from: getpid()).isEmpty)
      #expect(try receive(second, from: getpid()).count == 1)
    }
    #expect(stat(path, &status) == -1)
  }

  @Test("a notify socket whose name is too long is an error")
  func longName() {
    let path = "/tmp/" + String(repeating: "n", count: 103)
    #expect(throws: SystemError("bind \(path)", errno: ENAMETOOLONG)) { _ = try NotifySocket(path: path) }
  }

  private func withSocket(_ body: (NotifySocket, String) throws -> Void) throws {
    let path = "/tmp/dormouse-notify-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    let socket = try NotifySocket(path: path)
    try body(socket, path)
  }

  private func receive(
    _ socket: NotifySocket, from pid: Int32, atMost limit: Int = NotifySocket.batch, keeping last: Int = .max
  ) throws -> [NotifyMessage] {
    // With an eventfd in place of a pidfd, only the pid is compared.
    let pidfd = OwnedFD(owning: try retrying("eventfd") { eventfd(0, Int32(EFD_CLOEXEC)) })
    return try socket.receive(from: pid, pidfd: pidfd, atMost: limit, keeping: last)
  }
}

/// Sends a datagram as libsystemd does, with at most one descriptor attached.
private func send(_ text: String, to path: String, attaching attached: Int32? = nil, flags: Int32 = 0) throws {
  let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
  let socket = OwnedFD(owning: try retrying("socket") { Glibc.socket(AF_UNIX, type, 0) })
  var address = sockaddr_un()
  address.sun_family = sa_family_t(AF_UNIX)
  withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
  var control = [Int](repeating: 0, count: 3)
  if let attached {
    control.withUnsafeMutableBytes { bytes in
      var header = cmsghdr()
      header.cmsg_len = 20
      header.cmsg_level = SOL_SOCKET
      header.cmsg_type = Int32(SCM_RIGHTS)
      bytes.storeBytes(of: header, as: cmsghdr.self)
      bytes.storeBytes(of: attached, toByteOffset: 16, as: Int32.self)
    }
  }
  var bytes = Array(text.utf8)
  try bytes.withUnsafeMutableBytes { bytes in
    try control.withUnsafeMutableBytes { control in
      try withUnsafeMutablePointer(to: &address) { address in
        var vector = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
        try withUnsafeMutablePointer(to: &vector) { vector in
          var message = msghdr()
          message.msg_name = UnsafeMutableRawPointer(address)
          message.msg_namelen = socklen_t(MemoryLayout<sockaddr_un>.size)
          message.msg_iov = vector
          message.msg_iovlen = 1
          if attached != nil {
            message.msg_control = control.baseAddress
            message.msg_controllen = control.count
          }
          let raw = socket.raw
          try retrying("sendmsg") { sendmsg(raw, &message, flags) }
        }
      }
    }
  }
}
