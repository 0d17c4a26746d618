import Glibc

/// An IPv4 or IPv6 address.
public enum IPAddress: Hashable, Sendable, CustomStringConvertible {
  case v4(IPv4Address)
  case v6(IPv6Address)

  /// Reads bytes in network order; nil when they are not as many as an address of `family` has.
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

  /// The four or sixteen bytes in network byte order.
  public var bytes: [UInt8] {
    func bytes(_ number: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: number.bigEndian) { Array($0) } }
    return switch self {
    case .v4(let address): bytes(address.value)
    case .v6(let address): bytes(address.high) + bytes(address.low)
    }
  }
}

/// An IPv4 address.
public struct IPv4Address: Hashable, Sendable, CustomStringConvertible {
  /// The address as a number: 127.0.0.1 is 0x7f000001.
  public let value: UInt32

  public init(_ value: UInt32) { self.value = value }

  /// Reads four bytes in network order; nil when there are more or fewer.
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
  /// The first eight bytes as a number.
  public let high: UInt64
  /// The last eight bytes as a number.
  public let low: UInt64

  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Reads sixteen bytes in network order; nil when there are more or fewer.
  public init?(bytes: [UInt8]) {
    guard bytes.count == 16 else { return nil }
    high = bytes[..<8].reduce(0) { $0 << 8 | UInt64($1) }
    low = bytes[8...].reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// `::`: every address, including those of IPv4 unless the socket has IPV6_V6ONLY.
  public static let any = IPv6Address(high: 0, low: 0)
  /// `::1`.
  public static let loopback = IPv6Address(high: 0, low: 1)

  /// Whether the address is in fe80::/10, and so is valid only together with an interface.
  public var isLinkLocal: Bool { high >> 54 == 0xfe80 >> 6 }

  /// The IPv4 address in `::ffff:1.2.3.4`, the form in which a socket of both families shows an IPv4 client.
  public var mapped: IPv4Address? {
    high == 0 && low >> 32 == 0xffff ? IPv4Address(UInt32(truncatingIfNeeded: low)) : nil
  }

  /// The text of RFC 5952: `fe80::1`, `::ffff:1.2.3.4`.
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
