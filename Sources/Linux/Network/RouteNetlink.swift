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
  /// - Returns: false when what was listed changed meanwhile: some of it may be missing.
  /// - Throws: `SystemError` with `what` and, where the kernel has some, its own words.
  @discardableResult
  func ask(
    _ request: NetlinkRequest, _ what: String, _ take: (UnsafeRawBufferPointer) -> Void = { _ in }
  ) throws(SystemError) -> Bool {
    sequence &+= 1
    let bytes = request.bytes(sequence: sequence)
    let raw = socket.raw
    try retrying(what) { send(raw, bytes, bytes.count, Int32(MSG_DONTWAIT)) }
    var isWhole = true
    while true {
      let count = try retrying(what) { recv(raw, &buffer, buffer.count, Int32(MSG_DONTWAIT)) }
      let reply = buffer.withUnsafeBytes {
        readReply(UnsafeRawBufferPointer(rebasing: $0.prefix(count)), sequence: sequence, take)
      }
      isWhole = isWhole && reply.isWhole
      switch reply.progress {
      case .more: continue
      case .done: return isWhole
      case .failed(let code):
        throw SystemError(reply.words.map { "\(what) (\($0))" } ?? what, errno: code)
      }
    }
  }

  /// Asks for a list anew as long as it changes meanwhile, a hundred times at most; `take` begins anew with `begin`.
  func list(
    _ request: NetlinkRequest, _ what: String, _ begin: () -> Void, _ take: (UnsafeRawBufferPointer) -> Void
  ) throws(SystemError) {
    for _ in 0..<100 {
      begin()
      if try ask(request, what, take) { return }
    }
  }
}

/// Gives `body` what each message of an answer carries, up to its end. Whatever the bytes are, it never traps.
///
/// - Returns: how the answer goes on after these `bytes`, what the kernel says in words about an error, and whether what is listed was
///   the same all the time (NLM_F_DUMP_INTR).
package func readReply(
  _ bytes: UnsafeRawBufferPointer, sequence: UInt32, _ body: (UnsafeRawBufferPointer) -> Void
) -> (progress: NetlinkProgress, words: String?, isWhole: Bool) {
  var words: String?
  var isWhole = true
  forEachMessage(in: bytes) { message in
    guard message.sequence == sequence else { return }
    if message.flags & UInt16(NLM_F_DUMP_INTR) != 0 { isWhole = false }
    if message.type == NLMSG_ERROR || message.type == NLMSG_DONE { words = words ?? message.complaint }
  }
  return (readAnswer(bytes, sequence: sequence, body), words, isWhole)
}
