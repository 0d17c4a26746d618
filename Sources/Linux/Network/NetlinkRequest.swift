import CLinux
import CMnl
import Glibc

/// A netlink request while it is put together: a header, a structure of the request's own, and attributes.
final class NetlinkRequest {
  private let buffer: UnsafeMutableRawBufferPointer
  private let header: UnsafeMutablePointer<nlmsghdr>

  /// `type` is `RTM_NEWLINK` or the like, `flags` are those beside NLM_F_REQUEST. More in attributes than there is `room` for, in
  /// bytes, is a mistake of the caller's.
  init<Content: BitwiseCopyable>(_ type: Int, flags: Int32, _ content: Content, room: Int = 1024) {
    buffer = .allocate(byteCount: 64 + MemoryLayout<Content>.size + room, alignment: MemoryLayout<UInt64>.alignment)
    buffer.initializeMemory(as: UInt8.self, repeating: 0)
    guard let header = mnl_nlmsg_put_header(buffer.baseAddress),
      let extra = mnl_nlmsg_put_extra_header(header, MemoryLayout<Content>.size)
    else { preconditionFailure("the buffer has an address") }
    header.pointee.nlmsg_type = UInt16(type)
    header.pointee.nlmsg_flags = UInt16(NLM_F_REQUEST | flags)
    extra.storeBytes(of: content, as: Content.self)
    self.header = header
  }

  deinit { buffer.deallocate() }

  func put(_ type: Int, _ content: [UInt8]) {
    let fits = content.withUnsafeBytes {
      mnl_attr_put_check(header, buffer.count, UInt16(type), $0.count, $0.baseAddress)
    }
    precondition(fits, "a request with more attributes than it has room for")
  }

  /// A string with its NUL.
  func put(_ type: Int, _ text: String) { put(type, Array(text.utf8) + [0]) }

  func put(_ type: Int, _ number: some FixedWidthInteger) { put(type, withUnsafeBytes(of: number) { Array($0) }) }

  /// An attribute whose content are attributes, which `body` puts.
  func nest(_ type: Int, _ body: () -> Void) {
    guard let start = mnl_attr_nest_start_check(header, buffer.count, UInt16(type)) else {
      preconditionFailure("a request with more attributes than it has room for")
    }
    body()
    mnl_attr_nest_end(header, start)
  }

  /// An attribute that begins with a structure and goes on with attributes, which `body` puts.
  func nest<Content: BitwiseCopyable>(_ type: Int, _ content: Content, _ body: () -> Void) {
    nest(type) {
      guard let extra = mnl_nlmsg_put_extra_header(header, MemoryLayout<Content>.size) else { return }
      extra.storeBytes(of: content, as: Content.self)
      body()
    }
  }

  func bytes(sequence: UInt32) -> [UInt8] {
    header.pointee.nlmsg_seq = sequence
    return Array(buffer.prefix(Int(header.pointee.nlmsg_len)))
  }
}
