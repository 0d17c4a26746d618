import CLinux
import Glibc

/// Asks the kernel about the interfaces and addresses of one network namespace and changes them: rtnetlink(7).
///
/// Belongs to the namespace in which it was made, and keeps that alive. Never blocks: the kernel has carried a request out when
/// send(2) returns.
public final class RouteNetlink {
  let socket: OwnedFD
  private var sequence: UInt32 = 0
  private var buffer = [UInt8](repeating: 0, count: 64 * 1024)

  /// Of the process's own network namespace.
  ///
  /// - Throws: `SystemError` of socket(2).
  public init() throws(SystemError) {
    socket = try Self.open()
  }

  /// Of another network namespace.
  ///
  /// - Throws: `SystemError` of setns(2) or socket(2).
  public init(in namespace: borrowing OwnedFD) throws(SystemError) {
    let raw = try NetworkNamespace.inside(namespace) { () throws(SystemError) in try Self.open().release() }
    socket = OwnedFD(owning: raw)
  }

  private static func open() throws(SystemError) -> OwnedFD {
    let fd = try openNetlink(NETLINK_ROUTE, "NETLINK_ROUTE")
    // Errors with the kernel's own words, and without the request again in front of them.
    for option in [NETLINK_EXT_ACK, NETLINK_CAP_ACK] {
      try setOption(fd, LINUX_SOL_NETLINK, option, Int32(1), named: "NETLINK_EXT_ACK")
    }
    return fd
  }

  /// Sends a request, and hands what each message of the answer carries to `take`. `what` are the request's words.
  ///
  /// - Throws: `SystemError` with `what` and, where the kernel has some, its own words.
  func ask(
    _ request: NetlinkRequest, _ what: String, _ take: (UnsafeRawBufferPointer) -> Void = { _ in }
  ) throws(SystemError) {
    sequence &+= 1
    let bytes = request.bytes(sequence: sequence)
    let raw = socket.raw
    try retrying(what) { send(raw, bytes, bytes.count, Int32(MSG_DONTWAIT)) }
    while true {
      let count = try retrying(what) { recv(raw, &buffer, buffer.count, Int32(MSG_DONTWAIT)) }
      let reply = buffer.withUnsafeBytes {
        readReply(UnsafeRawBufferPointer(rebasing: $0.prefix(count)), sequence: sequence, take)
      }
      switch reply.progress {
      case .more: continue
      case .done: return
      case .failed(let code):
        throw SystemError(reply.words.map { "\(what) (\($0))" } ?? what, errno: code)
      }
    }
  }
}

/// Gives `body` what each message of an answer carries, up to its end.
///
/// - Returns: how the answer goes on after these `bytes`, and what the kernel says in words about an error.
func readReply(
  _ bytes: UnsafeRawBufferPointer, sequence: UInt32, _ body: (UnsafeRawBufferPointer) -> Void
) -> (progress: NetlinkProgress, words: String?) {
  var words: String?
  forEachMessage(in: bytes) { message in
    guard message.sequence == sequence, message.type == NLMSG_ERROR || message.type == NLMSG_DONE else { return }
    words = words ?? message.complaint
  }
  return (readAnswer(bytes, sequence: sequence, body), words)
}
