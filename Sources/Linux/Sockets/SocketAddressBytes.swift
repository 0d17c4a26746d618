import Glibc

/// Conversion between `SocketAddress` and the kernel's struct sockaddr.
extension SocketAddress {
  /// Calls `body` with this address as a struct sockaddr.
  ///
  /// - Returns: nil, without calling `body`, when a name is too long (unix(7): 107 bytes) or invalid (an empty path, or one with a NUL).
  func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result? {
    switch self {
    case .ipv4(let address, let port):
      var inet = sockaddr_in()
      inet.sin_family = sa_family_t(AF_INET)
      inet.sin_port = port.bigEndian
      inet.sin_addr.s_addr = address.value.bigEndian
      return Self.pass(inet, length: MemoryLayout<sockaddr_in>.size, body)
    case .ipv6(let address, let port, let scope):
      var inet = sockaddr_in6()
      inet.sin6_family = sa_family_t(AF_INET6)
      inet.sin6_port = port.bigEndian
      inet.sin6_addr = in6_addr(address)
      inet.sin6_scope_id = scope
      return Self.pass(inet, length: MemoryLayout<sockaddr_in6>.size, body)
    case .path(let path):
      guard !path.isEmpty, !path.utf8.contains(0) else { return nil }
      return Self.passUnix(Array(path.utf8) + [0], body)
    case .abstract(let name): return Self.passUnix([0] + Array(name.utf8), body)
    case .unnamed: return Self.passUnix([], body)
    }
  }

  /// Makes a system call with this address. `body` returns -1 and sets errno when the call fails.
  ///
  /// - Throws: `SystemError` of the call; `ENAMETOOLONG` when struct sockaddr cannot hold this address.
  func passed(
    to call: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) throws(SystemError) {
    try retrying("\(call) \(self)") {
      if let result = withSockaddr(body) { return result }
      errno = ENAMETOOLONG
      return -1
    }
  }

  private static let nameOffset = MemoryLayout<sa_family_t>.size

  private static func passUnix<Result>(
    _ name: [UInt8], _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
  ) -> Result? {
    var address = sockaddr_un()
    guard nameOffset + name.count <= MemoryLayout<sockaddr_un>.size else { return nil }
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address) {
      UnsafeMutableRawBufferPointer(rebasing: $0[nameOffset...]).copyBytes(from: name)
    }
    return pass(address, length: nameOffset + name.count, body)
  }

  private static func pass<Address, Result>(
    _ address: Address, length: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
  ) -> Result {
    withUnsafePointer(to: address) { pointer in
      UnsafeRawPointer(pointer).withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(length)) }
    }
  }

  /// Reads what the kernel wrote; nil for a family other than IPv4, IPv6 and AF_UNIX.
  init?(sockaddr bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= Self.nameOffset else { return nil }
    switch Int32(bytes.loadUnaligned(as: sa_family_t.self)) {
    case AF_INET where bytes.count >= MemoryLayout<sockaddr_in>.size:
      let inet = bytes.loadUnaligned(as: sockaddr_in.self)
      self = .ipv4(IPv4Address(UInt32(bigEndian: inet.sin_addr.s_addr)), port: UInt16(bigEndian: inet.sin_port))
    case AF_INET6 where bytes.count >= MemoryLayout<sockaddr_in6>.size:
      let inet = bytes.loadUnaligned(as: sockaddr_in6.self)
      self = .ipv6(IPv6Address(inet.sin6_addr), port: UInt16(bigEndian: inet.sin6_port), scope: inet.sin6_scope_id)
    case AF_UNIX:
      self = Self(unixName: UnsafeRawBufferPointer(rebasing: bytes[Self.nameOffset...]))
    default: return nil
    }
  }

  /// Reads an AF_UNIX name in the kernel's form: empty, a NUL and an abstract name, or a path that may end with a NUL.
  init(unixName name: UnsafeRawBufferPointer) {
    switch name.first {
    case nil: self = .unnamed
    case 0: self = .abstract(String(decoding: name.dropFirst(), as: UTF8.self))
    default: self = .path(String(decoding: name.prefix { $0 != 0 }, as: UTF8.self))
    }
  }

  /// Reads the address that `fill` writes (getsockname(2) and the like); nil for a family other than IPv4, IPv6 and AF_UNIX.
  static func filled(
    _ call: @autoclosure () -> String,
    by fill: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
  ) throws(SystemError) -> SocketAddress? {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    try retrying(call()) {
      withUnsafeMutablePointer(to: &storage) { storage in
        storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { fill($0, &length) }
      }
    }
    return withUnsafeBytes(of: storage) { bytes in
      SocketAddress(sockaddr: UnsafeRawBufferPointer(rebasing: bytes.prefix(Int(length))))
    }
  }
}
