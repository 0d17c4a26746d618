import CLinux
import CMnl
import Glibc

/// How an answer of several messages goes on.
public enum NetlinkProgress: Equatable, Sendable {
  case more, done
  /// The kernel refused, with errno(3).
  case failed(Int32)
}

/// One netlink message: a view of the bytes it came in.
struct NetlinkMessage {
  let type: UInt16
  let flags: UInt16
  let sequence: UInt32
  /// What follows the header.
  let payload: UnsafeRawBufferPointer

  /// What the message means for the answer it is part of; nil for one that carries content.
  var progress: NetlinkProgress? {
    switch Int32(type) {
    case NLMSG_ERROR, NLMSG_DONE:
      // Both carry 0 or a negative errno; a bare DONE is a good one.
      guard payload.count >= 4 else { return .done }
      let code = payload.loadUnaligned(as: Int32.self)
      return code < 0 && code > -4096 ? .failed(-code) : .done
    case NLMSG_OVERRUN: return .failed(ENOBUFS)
    default: return nil
    }
  }

  /// What the kernel says in words about an error (NETLINK_EXT_ACK of netlink(7)). The attributes come after the error's number and
  /// the header of the request; the request itself is there too unless NETLINK_CAP_ACK is set.
  var complaint: String? {
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

/// Calls `body` for each whole message in `bytes`; what comes after the last whole one is left alone.
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

/// The bytes of a request of SOCK_DIAG_BY_FAMILY: its own structure, `flags` beside NLM_F_REQUEST, and the type and
/// content of the one attribute that there may be.
func sockDiagRequest<Content: BitwiseCopyable>(
  _ content: Content, flags: Int32, sequence: UInt32, attribute: (type: Int32, content: [UInt8])? = nil
) -> [UInt8] {
  let request = NetlinkRequest(
    Int(SOCK_DIAG_BY_FAMILY), flags: flags, content, room: 64 + (attribute?.content.count ?? 0))
  if let attribute { request.put(Int(attribute.type), attribute.content) }
  return request.bytes(sequence: sequence)
}

/// Gives `body` what each message of an answer carries, up to the answer's end.
///
/// - Returns: how the answer goes on after these `bytes`.
func readAnswer(
  _ bytes: UnsafeRawBufferPointer, sequence: UInt32?, _ body: (UnsafeRawBufferPointer) -> Void
) -> NetlinkProgress {
  var progress = NetlinkProgress.more
  forEachMessage(in: bytes) { message in
    guard sequence == nil || message.sequence == sequence, progress == .more else { return }
    if let end = message.progress {
      progress = end
    } else {
      body(message.payload)
    }
  }
  return progress
}
