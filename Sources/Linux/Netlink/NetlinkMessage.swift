import CLinux
import CMnl
import Glibc

/// Whether an answer of several messages is complete.
package enum NetlinkProgress: Equatable, Sendable {
  case more, done
  /// The kernel refused, with errno(3).
  case failed(Int32)
}

/// One netlink message: a view of the bytes that it arrived in.
struct NetlinkMessage {
  let type: UInt16
  let flags: UInt16
  let sequence: UInt32
  /// What follows the header.
  let payload: UnsafeRawBufferPointer

  /// How the message ends the answer that it is part of; nil for a message that carries content.
  var progress: NetlinkProgress? {
    switch Int32(type) {
    case NLMSG_ERROR, NLMSG_DONE:
      // Both carry 0 or a negative errno; a DONE without a number means success.
      guard payload.count >= 4 else { return .done }
      let code = payload.loadUnaligned(as: Int32.self)
      return code < 0 && code > -4096 ? .failed(-code) : .done
    case NLMSG_OVERRUN: return .failed(ENOBUFS)
    default: return nil
    }
  }

  /// The reason that the kernel gives in words for an error (NETLINK_EXT_ACK of netlink(7)). The attributes follow the error's number
  /// and the header of the request; the request itself stands between them unless NETLINK_CAP_ACK is set.
  var reason: String? {
    guard Int32(type) == NLMSG_ERROR, flags & UInt16(NLM_F_ACK_TLVS) != 0,
      flags & UInt16(NLM_F_CAPPED) != 0
    else { return nil }
    var text: String?
    forEachAttribute(in: payload, after: MemoryLayout<nlmsgerr>.size) { type, content in
      if type == Int32(NLMSGERR_ATTR_MSG.rawValue) {
        text = String(decoding: content.prefix { $0 != 0 }, as: UTF8.self)
      }
    }
    return text
  }
}

/// Calls `body` for each whole message in `bytes`, and skips what follows the last whole one.
func forEachMessage(in bytes: UnsafeRawBufferPointer, _ body: (NetlinkMessage) -> Void) {
  guard let start = bytes.baseAddress, var left = Int32(exactly: bytes.count) else { return }
  var header = start.assumingMemoryBound(to: nlmsghdr.self)
  // libmnl compares the length as a signed number, and lets one of 2 GiB and more pass as a negative one.
  while mnl_nlmsg_ok(header, left), header.pointee.nlmsg_len <= UInt32(left) {
    let payload = UnsafeRawBufferPointer(
      start: mnl_nlmsg_get_payload(header), count: mnl_nlmsg_get_payload_len(header))
    body(
      NetlinkMessage(
        type: header.pointee.nlmsg_type, flags: header.pointee.nlmsg_flags, sequence: header.pointee.nlmsg_seq,
        payload: payload))
    guard let next = mnl_nlmsg_next(header, &left) else { return }
    header = UnsafePointer(next)
  }
}

/// Calls `body` with type and content of each whole attribute that follows the first `offset` bytes of `payload`.
func forEachAttribute(
  in payload: UnsafeRawBufferPointer, after offset: Int, _ body: (Int32, UnsafeRawBufferPointer) -> Void
) {
  guard payload.count >= offset, let start = payload.baseAddress, payload.count <= Int(Int32.max) else { return }
  var attribute = (start + offset).assumingMemoryBound(to: nlattr.self)
  let end = start + payload.count
  while mnl_attr_ok(attribute, Int32(end - UnsafeRawPointer(attribute))) {
    let content = UnsafeRawBufferPointer(
      start: mnl_attr_get_payload(attribute), count: Int(mnl_attr_get_payload_len(attribute)))
    body(Int32(mnl_attr_get_type(attribute)), content)
    guard let next = mnl_attr_next(attribute) else { return }
    attribute = UnsafePointer(next)
  }
}

/// Calls `body` with the payload of each message of an answer, up to the answer's end. No bytes make it trap.
///
/// - Parameters:
///   - bytes: what one recv(2) brought.
///   - sequence: of the request; messages with another number are skipped. Nil reads all.
///   - body: gets what follows a message's header.
/// - Returns: whether the answer continues after these bytes, the reason that the kernel gives in words for an error, and whether what
///   is listed stayed the same meanwhile (no NLM_F_DUMP_INTR).
package func readReply(
  _ bytes: UnsafeRawBufferPointer, sequence: UInt32?, _ body: (UnsafeRawBufferPointer) -> Void
) -> (progress: NetlinkProgress, words: String?, isWhole: Bool) {
  var reply = (progress: NetlinkProgress.more, words: String?.none, isWhole: true)
  forEachMessage(in: bytes) { message in
    guard sequence == nil || message.sequence == sequence, reply.progress == .more else { return }
    if message.flags & UInt16(NLM_F_DUMP_INTR) != 0 { reply.isWhole = false }
    if let end = message.progress {
      reply.progress = end
      reply.words = message.reason
    } else {
      body(message.payload)
    }
  }
  return reply
}
