import CLinux
import Glibc
import Testing

@testable import Linux

/// Runs `body` in a network namespace of its own with loopback up.
///
/// A socket belongs to the namespace in which its thread made it. So the thread enters the namespace, and returns whatever happens. `body`
/// cannot suspend, and so stays on the thread.
func inNetworkNamespace(_ body: () throws -> Void) throws {
  let home = OwnedFD(
    owning: try retrying("open netns") { open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC) })
  try retrying("unshare") { unshare(LINUX_CLONE_NEWNET) }
  defer {
    if setns(home.raw, LINUX_CLONE_NEWNET) != 0 { Issue.record("the thread is left in a network namespace") }
  }
  try bringLoopbackUp()
  try body()
}

private func bringLoopbackUp() throws(SystemError) { try interfaceFlags("lo", setting: UInt8(IFF_UP)) }

/// Whether the administrator has brought an interface up.
func isUp(_ interface: String) throws(SystemError) -> Bool { try interfaceFlags(interface) & UInt8(IFF_UP) != 0 }

/// The low byte of an interface's flags, after it was set to `flags` if those are given.
@discardableResult
private func interfaceFlags(_ name: String, setting flags: UInt8? = nil) throws(SystemError) -> UInt8 {
  let control = OwnedFD(owning: try retrying("socket") { socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0) })
  // struct ifreq: 16 bytes of a name, then the flags.
  var request = [UInt8](name.utf8.prefix(15))
  request += [UInt8](repeating: 0, count: 40 - request.count)
  if let flags {
    request[16] = flags
    try retrying("ioctl SIOCSIFFLAGS") { ioctl(control.raw, 0x8914, &request) }
  }
  try retrying("ioctl SIOCGIFFLAGS") { ioctl(control.raw, 0x8913, &request) }
  return request[16]
}

/// A standby that has joined its primary.
func openStandby(of socket: borrowing OwnedFD, backlog: UInt32) throws(SystemError) -> OwnedFD {
  let standby = try makeStandby(of: socket)
  try joinStandby(standby, to: socket, backlog: backlog)
  return standby
}

/// A socket of `kind` that is connected to `address`; connect(2) blocks.
func connected(_ kind: SocketKind = .stream, to address: SocketAddress) throws(SystemError) -> OwnedFD {
  let type = Int32(kind.type.rawValue | SOCK_CLOEXEC.rawValue)
  let fd = OwnedFD(owning: try retrying("socket") { socket(address.family, type, 0) })
  let raw = fd.raw
  try retrying("connect \(address)") { address.withSockaddr { connect(raw, $0, $1) } ?? -1 }
  return fd
}

/// Accepts a connection as a guest would; waits for the client.
func acceptNext(_ listener: borrowing OwnedFD) throws(SystemError) -> OwnedFD {
  try waitForInput(listener)
  let raw = listener.raw
  return OwnedFD(owning: try retrying("accept4") { accept4(raw, nil, nil, Int32(SOCK_CLOEXEC.rawValue)) })
}

/// Waits at most a minute until there is something to read, or the end of the file.
func waitForInput(_ fd: borrowing OwnedFD) throws(SystemError) {
  var entry = pollfd(fd: fd.raw, events: Int16(POLLIN), revents: 0)
  if try retrying("poll", { poll(&entry, 1, 60_000) }) == 0 { throw SystemError("poll", errno: ETIMEDOUT) }
}

/// Whether `condition` becomes true within a minute. It is for the effects of closing a descriptor: a child that another test makes
/// meanwhile has copies of all descriptors of this process until it executes its program, and the kernel acts only when the last copy is
/// closed. It is also for data in transit: on a busy machine send(2) and connect(2) return before everything has arrived.
func comesTrue<Failure>(_ condition: () throws(Failure) -> Bool) throws(Failure) -> Bool {
  let end = ContinuousClock.now + .seconds(60)
  while try !condition() {
    guard ContinuousClock.now < end else { return false }
    poll(nil, 0, 5)
  }
  return true
}

/// Whether the length of the accept queue becomes `count`.
func queue(of listener: borrowing OwnedFD, reaches count: Int) throws(SystemError) -> Bool {
  try comesTrue { () throws(SystemError) in try acceptQueueLength(of: listener) == count }
}

/// Sends a datagram over IPv4 or IPv6, and returns once it is queued at `receiver`.
func sendDatagram(_ text: String, by sender: borrowing OwnedFD, to receiver: borrowing OwnedFD) throws(SystemError) {
  let raw = sender.raw
  let before = try queuedBytes(on: receiver)
  try retrying("send") { send(raw, text, text.utf8.count, 0) }
  guard try comesTrue({ () throws(SystemError) in try queuedBytes(on: receiver) > before }) else {
    throw SystemError("send", errno: ETIMEDOUT)
  }
}

/// A listener at a port that the kernel chooses.
func anyListener(_ address: SocketAddress = .ipv4(.loopback, port: 0)) throws(SystemError) -> OwnedFD {
  try openListener(.stream, address)
}

/// Runs `body` with a new directory, which is removed with its content afterwards.
func inTemporaryDirectory(below parent: String = "/tmp", _ body: (String) throws -> Void) throws {
  var template = Array("\(parent)/dormouse-XXXXXX".utf8CString)
  guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp", errno: errno) }
  let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  defer { try? removeTree(path) }
  try body(path)
}

/// The two ends of an accepted connection.
final class Connection {
  var client: OwnedFD?
  var server: OwnedFD?

  init(to listener: borrowing OwnedFD, at address: SocketAddress? = nil) throws(SystemError) {
    let bound = try localAddress(of: listener)
    client = try connected(try kind(of: listener), to: address ?? bound)
    server = try acceptNext(listener)
  }
  func clientAddress() throws(SystemError) -> SocketAddress {
    guard let raw = client?.raw else { throw SystemError("getsockname", errno: EBADF) }
    return try SocketAddress.filled("getsockname") { getsockname(raw, $0, $1) } ?? .unnamed
  }

  /// Whether a byte from the client reaches the server.
  func works() throws(SystemError) -> Bool {
    guard let sender = client?.raw, let receiver = server?.raw else { return false }
    var byte: UInt8 = 0
    try retrying("send") { send(sender, "x", 1, 0) }
    return try retrying("recv") { recv(receiver, &byte, 1, 0) } == 1 && byte == 120
  }
}

/// A recorded netlink message of the kernel: a seed of FuzzNetlink.
func recorded(_ name: String, file: String = #filePath) throws -> [UInt8] {
  let tests = file.split(separator: "/").dropLast(2).joined(separator: "/")
  return try readFile("/\(tests)/Fuzz/corpus/FuzzNetlink/\(name)", limit: 64 * 1024)
}

/// Reads the items in an answer of the kernel, as an exchange does.
func items<Item>(
  in bytes: UnsafeRawBufferPointer, sequence: UInt32? = nil, as item: (UnsafeRawBufferPointer) -> Item?
) -> (items: [Item], progress: NetlinkProgress) {
  var items: [Item] = []
  let reply = readReply(bytes, sequence: sequence) { payload in
    if let found = item(payload) { items.append(found) }
  }
  return (items, reply.progress)
}

/// The number of a socket that no other socket ever has: SO_COOKIE.
func cookie(of fd: borrowing OwnedFD) throws(SystemError) -> UInt64 {
  try option(fd, SOL_SOCKET, 57, initially: UInt64(0), named: "SO_COOKIE")
}
