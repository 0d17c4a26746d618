import CLinux
import Glibc

/// A netlink socket: it exchanges a request for the kernel's answer, or receives what the kernel multicasts (netlink(7)).
///
/// It belongs to one network namespace and keeps that alive. It never blocks: when send(2) returns, the kernel has carried out the
/// request, and has each part of the answer ready when the part before it was read.
final class NetlinkSocket {
  let descriptor: OwnedFD
  private let name: String
  private var sequence: UInt32 = 0
  private var buffer: [UInt8]

  /// `NETLINK_ROUTE` or `NETLINK_SOCK_DIAG`.
  struct Family {
    let number: Int32
    let name: String

    static let route = Family(number: NETLINK_ROUTE, name: "NETLINK_ROUTE")
    static let sockDiag = Family(number: NETLINK_SOCK_DIAG, name: "NETLINK_SOCK_DIAG")
  }

  /// The kernel fills at most 32 KiB at a time of an answer. What it multicasts is far shorter.
  static let (answerBytes, multicastBytes) = (64 * 1024, 16 * 1024)

  /// Opens a socket in the network namespace of the calling thread.
  ///
  /// - Throws: `SystemError` of socket(2).
  convenience init(_ family: Family, bufferBytes: Int = answerBytes) throws(SystemError) {
    let raw = try retrying("socket \(family.name)") { socket(AF_NETLINK, Self.type, family.number) }
    try self.init(family, OwnedFD(owning: raw), bufferBytes)
  }

  /// Opens a socket in another network namespace.
  ///
  /// - Throws: `SystemError` of setns(2) or socket(2).
  convenience init(
    _ family: Family, in namespace: borrowing OwnedFD, bufferBytes: Int = answerBytes
  ) throws(SystemError) {
    let namespace = namespace.raw
    let raw = try retrying("socket \(family.name) in another namespace") {
      linux_socket_in_namespace(namespace, AF_NETLINK, Self.type, family.number)
    }
    try self.init(family, OwnedFD(owning: raw), bufferBytes)
  }

  private static let type = Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)

  private init(_ family: Family, _ socket: consuming OwnedFD, _ bufferBytes: Int) throws(SystemError) {
    // Errors come with the kernel's own words, and without a copy of the request before them.
    try setOption(socket, LINUX_SOL_NETLINK, NETLINK_EXT_ACK, Int32(1), named: "NETLINK_EXT_ACK")
    try setOption(socket, LINUX_SOL_NETLINK, NETLINK_CAP_ACK, Int32(1), named: "NETLINK_CAP_ACK")
    descriptor = socket
    name = family.name
    buffer = [UInt8](repeating: 0, count: bufferBytes)
  }

  /// Subscribes to the multicast groups in the mask `groups`.
  ///
  /// - Throws: `SystemError` of bind(2).
  func subscribe(to groups: UInt32) throws(SystemError) {
    var address = sockaddr_nl()
    address.nl_family = sa_family_t(AF_NETLINK)
    address.nl_groups = groups
    let raw = descriptor.raw
    try retrying("bind \(name)") {
      withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(raw, $0, socklen_t(MemoryLayout<sockaddr_nl>.size))
        }
      }
    }
  }

  /// Sends a request and calls `body` with the payload of each message of the answer.
  ///
  /// - Parameters:
  ///   - request: a dump, or a request with `NLM_F_ACK`: only these have an answer with an end.
  ///   - what: what the request is for, in an error.
  ///   - body: gets what follows a message's header.
  ///   - wantsMore: is asked before each recv(2); when it says false, the rest of the answer stays queued, so the caller must make no other
  ///     request on this socket.
  /// - Returns: false when what is listed changed meanwhile, so that some of it may be missing.
  /// - Throws: `SystemError` with `what` and, where the kernel gives a reason in words, that; `EMSGSIZE` for a request with an attribute
  ///   of more than 64 KiB.
  @discardableResult
  func exchange(
    _ request: NetlinkRequest, _ what: String, _ body: (UnsafeRawBufferPointer) -> Void = { _ in },
    while wantsMore: () -> Bool = { true }
  ) throws(SystemError) -> Bool {
    sequence &+= 1
    guard let bytes = request.bytes(sequence: sequence) else { throw SystemError(what, errno: EMSGSIZE) }
    let raw = descriptor.raw
    // A lack of memory passes, and a caller that does not learn whether a guest is in use keeps it running until its next scan.
    try insisting { () throws(SystemError) in
      _ = try retrying(what) { send(raw, bytes, bytes.count, Int32(MSG_DONTWAIT)) }
    }
    var isWhole = true
    while wantsMore() {
      let reply = try receive(what) { readReply($0, sequence: sequence, body) }
      isWhole = isWhole && reply.isWhole
      switch reply.progress {
      case .more: continue
      case .done: return isWhole
      case .failed(let code): throw SystemError(reply.words.map { "\(what) (\($0))" } ?? what, errno: code)
      }
    }
    return isWhole
  }

  /// Lists something, again from the start while it changes meanwhile, a hundred times at most.
  ///
  /// - Parameters:
  ///   - request: with `NLM_F_DUMP`.
  ///   - what: what is listed, in an error.
  ///   - item: reads the payload of one message; nil for one that carries no item.
  /// - Returns: the items in the kernel's order.
  /// - Throws: as ``exchange(_:_:_:while:)``.
  func list<Item>(
    _ request: NetlinkRequest, _ what: String, _ item: (UnsafeRawBufferPointer) -> Item?
  ) throws(SystemError) -> [Item] {
    var items: [Item] = []
    for _ in 0..<100 {
      items = []
      let isWhole = try exchange(request, what) { payload in
        if let item = item(payload) { items.append(item) }
      }
      if isWhole { break }
    }
    return items
  }

  /// Lists objects, and stops after the recv(2) that brings the item of number `limit`. The rest of the dump may stay queued, so the caller
  /// must make no other request on this socket.
  ///
  /// - Throws: as ``exchange(_:_:_:while:)``.
  func last<Item>(
    _ request: NetlinkRequest, _ what: String, limit: Int, _ item: (UnsafeRawBufferPointer) -> Item?
  ) throws(SystemError) -> [Item] {
    var items: [Item] = []
    try exchange(request, what) { payload in
      if let item = item(payload) { items.append(item) }
    } while: {
      items.count < limit
    }
    return items
  }

  /// Calls `body` with what one recv(2) brings.
  ///
  /// - Throws: `SystemError` with `what`; `EAGAIN` when nothing is there, `ENOBUFS` when the kernel had to drop messages.
  func receive<Result>(
    _ what: String, _ body: (UnsafeRawBufferPointer) -> Result
  ) throws(SystemError) -> Result {
    let raw = descriptor.raw
    let count = try retrying(what) { recv(raw, &buffer, buffer.count, Int32(MSG_DONTWAIT)) }
    return buffer.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0.prefix(count))) }
  }
}
