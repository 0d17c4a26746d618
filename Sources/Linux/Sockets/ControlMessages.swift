import Glibc

// The messages of cmsg(3), whose macros Swift cannot see: a header, its data, padding up to a word.

/// Calls `take` with level, type and data of each message that came beside the bytes.
func forEachControlMessage(
  _ control: UnsafeRawBufferPointer, _ take: (Int32, Int32, UnsafeRawBufferPointer) -> Void
) {
  let header = MemoryLayout<cmsghdr>.size
  var offset = 0
  while offset + header <= control.count {
    let message = control.loadUnaligned(fromByteOffset: offset, as: cmsghdr.self)
    let length = Int(message.cmsg_len)
    guard length >= header, offset + length <= control.count else { return }
    take(
      message.cmsg_level, message.cmsg_type,
      UnsafeRawBufferPointer(rebasing: control[(offset + header)..<(offset + length)]))
    offset += (length + 7) & ~7
  }
}

/// One message to be sent.
func controlMessage(level: Int32, type: Int32, _ data: [UInt8]) -> [UInt8] {
  var header = cmsghdr()
  header.cmsg_len = MemoryLayout<cmsghdr>.size + data.count
  header.cmsg_level = level
  header.cmsg_type = type
  let message = withUnsafeBytes(of: header) { Array($0) } + data
  return message + [UInt8](repeating: 0, count: -message.count & 7)
}
