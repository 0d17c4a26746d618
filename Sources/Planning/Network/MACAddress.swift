/// A hardware address of an Ethernet interface.
public struct MACAddress: Hashable, Sendable, CustomStringConvertible {
  /// Six bytes.
  public let bytes: [UInt8]

  /// `02:00:00:00:00:01`.
  public var description: String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
  }

  /// What an address is used for.
  enum Use {
    case hostEnd, guestEnd, extraHostEnd, extraGuestEnd, macvlan

    fileprivate var key: SipHash24.Key {
      switch self {
      case .hostEnd: SipHash24.Key(0x1a37_6fc7_46ec_450b, 0xada3_d531_0660_5db1)
      case .guestEnd: SipHash24.Key(0xc3c4_f919_b557_b21c, 0xe6cf_1427_039c_eea2)
      case .extraHostEnd: SipHash24.Key(0x48c7_f6b7_ea9d_4c9e, 0xb728_d4de_91d5_bf66)
      case .extraGuestEnd: SipHash24.Key(0xaf50_1761_cef9_4d35, 0x840d_2b20_54be_ce59)
      case .macvlan: SipHash24.Key(0x0013_6dbc_6683_4481, 0xbb0c_f951_1f24_a66f)
      }
    }
  }

  /// Derives an address that is the same at each start, and differs by host, guest, use and `number` of that use. The method and the keys
  /// are systemd-nspawn's, so a guest that was one of its containers keeps its addresses, and with them its leases.
  ///
  /// `hostID` is the host's machine-id(5), 32 hexadecimal digits.
  init(of guest: String, on hostID: String, _ use: Use, number: Int = 0) {
    var seed = Self.bytes(hostID) + Array(guest.utf8)
    if number > 0 { seed += (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
    let hash = SipHash24.hash(seed, key: use.key)
    var bytes = (0..<6).map { UInt8(truncatingIfNeeded: hash >> (8 * $0)) }
    // A unicast address, locally administered.
    bytes[0] = bytes[0] & 0xfe | 0x02
    self.bytes = bytes
  }

  private static func bytes(_ digits: String) -> [UInt8] {
    let nibbles = digits.compactMap(\.hexDigitValue)
    return stride(from: 0, to: nibbles.count - 1, by: 2).map { UInt8(nibbles[$0] << 4 | nibbles[$0 + 1]) }
  }
}
