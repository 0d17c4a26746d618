import Glibc
import Linux

/// A socket address in the notation of systemd.socket(5): `127.0.0.1:80`, `[::1]:80`, `/path`, `@abstract`.
struct Address {
  let family: Int32
  private var storage = sockaddr_storage()
  private var length: socklen_t

  init(_ text: String) throws {
    if text.hasPrefix("/") || text.hasPrefix("@") {
      family = AF_UNIX
      length = try Self.unix(text, &storage)
      return
    }
    let parts = text.split(separator: ":")
    guard let last = parts.last, let port = UInt16(last) else { throw Trouble("not an address: \(text)") }
    let host = text.dropLast(last.count + 1).drop { $0 == "[" }
    let isSix = host.hasSuffix("]")
    family = isSix ? AF_INET6 : AF_INET
    length = socklen_t(isSix ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size)
    let name = String(isSix ? host.dropLast() : host)
    let parsed = withUnsafeMutableBytes(of: &storage) { bytes -> Int32 in
      if isSix {
        let address = bytes.assumingMemoryBound(to: sockaddr_in6.self).baseAddress
        address?.pointee.sin6_family = sa_family_t(AF_INET6)
        address?.pointee.sin6_port = port.bigEndian
        return inet_pton(AF_INET6, name, bytes.baseAddress?.advanced(by: 8))
      }
      let address = bytes.assumingMemoryBound(to: sockaddr_in.self).baseAddress
      address?.pointee.sin_family = sa_family_t(AF_INET)
      address?.pointee.sin_port = port.bigEndian
      return inet_pton(AF_INET, name, bytes.baseAddress?.advanced(by: 4))
    }
    guard parsed == 1 else { throw Trouble("not an address: \(text)") }
  }

  /// Makes an AF_UNIX address. sun_path has the offset 2; an abstract name begins with NUL, and the length marks its end.
  private static func unix(_ text: String, _ storage: inout sockaddr_storage) throws -> socklen_t {
    let name = Array(text.utf8)
    guard name.count < 108 else { throw Trouble("longer than the name of a socket may be: \(text)") }
    storage.ss_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &storage) { bytes in
      for (index, byte) in name.enumerated() { bytes[2 + index] = byte }
      if name[0] == UInt8(ascii: "@") { bytes[2] = 0 }
    }
    return socklen_t(2 + name.count)
  }

  mutating func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    let length = self.length
    return withUnsafePointer(to: &storage) { storage in
      storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
    }
  }
}
