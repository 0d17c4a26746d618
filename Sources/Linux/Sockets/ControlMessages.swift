import Glibc

// Control messages, whose macros in cmsg(3) Swift does not import: a header, the data, and padding up to a word.

/// Calls `body` with level, type and data of each control message.
func forEachControlMessage(
  _ control: UnsafeRawBufferPointer, _ body: (Int32, Int32, UnsafeRawBufferPointer) -> Void
) {
  let header = MemoryLayout<cmsghdr>.size
  var offset = 0
  while offset + header <= control.count {
    let message = control.loadUnaligned(fromByteOffset: offset, as: cmsghdr.self)
    // Not `offset + length`, which overflows for a length that is none.
    guard let length = Int(exactly: message.cmsg_len), length >= header, length <= control.count - offset else {
      return
    }
    body(
      message.cmsg_level, message.cmsg_type,
      UnsafeRawBufferPointer(rebasing: control[(offset + header)..<(offset + length)]))
    offset += (length + 7) & ~7
  }
}

/// The bytes of one control message to send.
func controlMessage(level: Int32, type: Int32, _ data: [UInt8]) -> [UInt8] {
  var header = cmsghdr()
  header.cmsg_len = MemoryLayout<cmsghdr>.size + data.count
  header.cmsg_level = level
  header.cmsg_type = type
  let message = withUnsafeBytes(of: header) { Array($0) } + data
  return message + [UInt8](repeating: 0, count: -message.count & 7)
}
