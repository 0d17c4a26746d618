/// `RestrictAddressFamilies=`: the address families of which the guest may create sockets.
public struct AddressFamilies: Hashable, Sendable {
  /// Whether only `numbers` are allowed; otherwise all families but these are.
  public var isAllowList: Bool
  /// Numbers of address_families(7).
  public var numbers: Set<UInt16>

  public init(isAllowList: Bool, _ numbers: Set<UInt16>) {
    self.isAllowList = isAllowList
    self.numbers = numbers
  }

  /// Whether sockets of the family with this number are allowed.
  public func contains(_ number: UInt16) -> Bool { numbers.contains(number) == isAllowList }

  /// AF_NETLINK.
  public static let netlink: UInt16 = 16

  /// The families without `RestrictAddressFamilies=`: all but AF_ALG (38) and AF_VSOCK (40). A network namespace does not confine
  /// AF_VSOCK, and AF_ALG is the crypto API of the kernel that all guests share.
  public static let usual = AddressFamilies(isAllowList: false, [38, 40])

  /// The names of linux/socket.h from AF_UNIX on: the index of a name is its number minus one. Synonyms share an element.
  private static let names = [
    "UNIX LOCAL", "INET", "AX25", "IPX", "APPLETALK", "NETROM", "BRIDGE", "ATMPVC", "X25", "INET6", "ROSE", "DECnet",
    "NETBEUI", "SECURITY", "KEY", "NETLINK ROUTE", "PACKET", "ASH", "ECONET", "ATMSVC", "RDS", "SNA", "IRDA", "PPPOX",
    "WANPIPE", "LLC", "IB", "MPLS", "CAN", "TIPC", "BLUETOOTH", "IUCV", "RXRPC", "ISDN", "PHONET", "IEEE802154", "CAIF",
    "ALG", "NFC", "VSOCK", "KCM", "QIPCRTR", "SMC", "XDP", "MCTP",
  ].map { $0.split(separator: " ").map { "AF_" + $0 } }

  static var allNames: [String] { names.flatMap(\.self) }

  static func number(_ name: String) -> UInt16? {
    names.firstIndex { $0.contains(name) }.map { UInt16($0 + 1) }
  }
}
