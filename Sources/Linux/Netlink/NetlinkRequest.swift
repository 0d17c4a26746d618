import CLinux
import Glibc

/// The bytes of a netlink request: a header, a structure of the request's own, and attributes (netlink(7)).
final class NetlinkRequest {
  private var bytes: [UInt8] = []
  /// An attribute is longer than its 16-bit length can say.
  private var isTooLong = false

  /// `type` is `RTM_NEWLINK` or the like, `flags` are those beside NLM_F_REQUEST.
  init<Content: BitwiseCopyable>(_ type: Int, flags: Int32, _ content: Content) {
    var header = nlmsghdr()
    header.nlmsg_type = UInt16(truncatingIfNeeded: type)
    header.nlmsg_flags = UInt16(truncatingIfNeeded: NLM_F_REQUEST | flags)
    append(header)
    append(content)
  }

  /// Adds an attribute.
  func put(_ type: Int, _ content: [UInt8]) {
    attribute(type) { bytes += content }
  }

  /// Adds a string, with its NUL.
  func put(_ type: Int, _ text: String) { put(type, Array(text.utf8) + [0]) }

  func put(_ type: Int, _ number: some FixedWidthInteger) { put(type, withUnsafeBytes(of: number) { Array($0) }) }

  /// Adds an attribute whose content are the attributes that `body` adds.
  func nest(_ type: Int, _ body: () -> Void) { attribute(type | Int(NLA_F_NESTED), body) }

  /// Adds an attribute that begins with a structure, followed by the attributes that `body` adds.
  func nest<Content: BitwiseCopyable>(_ type: Int, _ content: Content, _ body: () -> Void) {
    nest(type) {
      append(content)
      body()
    }
  }

  private func attribute(_ type: Int, _ body: () -> Void) {
    let start = bytes.count
    append(nlattr(nla_len: 0, nla_type: UInt16(truncatingIfNeeded: type)))
    body()
    if let length = UInt16(exactly: bytes.count - start) {
      withUnsafeBytes(of: length) { bytes.replaceSubrange(start..<(start + $0.count), with: $0) }
    } else {
      isTooLong = true
    }
    pad()
  }

  /// The whole request, under a number that the kernel repeats in each message of its answer.
  ///
  /// - Returns: nil when an attribute is too long to be sent.
  func bytes(sequence: UInt32) -> [UInt8]? {
    guard !isTooLong, let length = UInt32(exactly: bytes.count) else { return nil }
    return bytes.withUnsafeBytes { bytes in
      var header = bytes.loadUnaligned(as: nlmsghdr.self)
      header.nlmsg_len = length
      header.nlmsg_seq = sequence
      return withUnsafeBytes(of: header) { Array($0) } + bytes.dropFirst(MemoryLayout<nlmsghdr>.size)
    }
  }

  private func append<Content: BitwiseCopyable>(_ content: Content) {
    withUnsafeBytes(of: content) { bytes += $0 }
    pad()
  }

  /// Everything in a message begins at a multiple of four bytes (NLMSG_ALIGNTO, NLA_ALIGNTO).
  private func pad() { bytes += [UInt8](repeating: 0, count: -bytes.count & 3) }
}
