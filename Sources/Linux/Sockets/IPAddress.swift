import Glibc

/// An address of either family.
public enum IPAddress: Hashable, Sendable, CustomStringConvertible {
  case v4(IPv4Address)
  case v6(IPv6Address)

  /// Bytes in network order, as many as the family has, else nil.
  init?(family: Int32, _ bytes: [UInt8]) {
    if family == AF_INET, let address = IPv4Address(bytes: bytes) {
      self = .v4(address)
    } else if family == AF_INET6, let address = IPv6Address(bytes: bytes) {
      self = .v6(address)
    } else {
      return nil
    }
  }

  public var description: String {
    switch self {
    case .v4(let address): address.description
    case .v6(let address): address.description
    }
  }
}

/// An IPv4 address.
public struct IPv4Address: Hashable, Sendable, CustomStringConvertible {
  /// As a number: 127.0.0.1 is 0x7f000001.
  public let value: UInt32

  public init(_ value: UInt32) { self.value = value }

  /// Four bytes in network order, else nil.
  public init?(bytes: [UInt8]) {
    guard bytes.count == 4 else { return nil }
    value = bytes.reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// 0.0.0.0: every address.
  public static let any = IPv4Address(0)
  /// 127.0.0.1.
  public static let loopback = IPv4Address(0x7f00_0001)

  /// `127.0.0.1`.
  public var description: String {
    "\(value >> 24).\(value >> 16 & 255).\(value >> 8 & 255).\(value & 255)"
  }
}

/// An IPv6 address.
public struct IPv6Address: Hashable, Sendable, CustomStringConvertible {
  /// The first eight bytes, as a number.
  public let high: UInt64
  /// The last eight.
  public let low: UInt64

  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Sixteen bytes in network order, else nil.
  public init?(bytes: [UInt8]) {
    guard bytes.count == 16 else { return nil }
    high = bytes[..<8].reduce(0) { $0 << 8 | UInt64($1) }
    low = bytes[8...].reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// `::`: every address, those of IPv4 too unless the socket says IPV6_V6ONLY.
  public static let any = IPv6Address(high: 0, low: 0)
  /// `::1`.
  public static let loopback = IPv6Address(high: 0, low: 1)

  /// fe80::/10: means something only together with an interface.
  public var isLinkLocal: Bool { high >> 54 == 0xfe80 >> 6 }

  /// The IPv4 address in `::ffff:1.2.3.4`, which is how a socket of both families names a client of IPv4.
  public var mapped: IPv4Address? {
    high == 0 && low >> 32 == 0xffff ? IPv4Address(UInt32(truncatingIfNeeded: low)) : nil
  }

  /// As RFC 5952 writes it: `fe80::1`, `::ffff:1.2.3.4`.
  public var description: String {
    var address = in6_addr(self)
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    inet_ntop(AF_INET6, &address, &text, socklen_t(text.count))
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

extension in6_addr {
  init(_ address: IPv6Address) {
    self.init()
    withUnsafeMutableBytes(of: &self) { bytes in
      bytes.storeBytes(of: address.high.bigEndian, as: UInt64.self)
      bytes.storeBytes(of: address.low.bigEndian, toByteOffset: 8, as: UInt64.self)
    }
  }
}

extension IPv6Address {
  init(_ address: in6_addr) {
    self = withUnsafeBytes(of: address) { bytes in
      IPv6Address(
        high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
        low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }
  }
}
