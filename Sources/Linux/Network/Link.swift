import CLinux
import Glibc

/// A network interface.
public struct Link: Equatable, Sendable {
  /// Its number in its namespace.
  public var index: Int32
  /// At most 15 characters.
  public var name: String
  /// `veth`, `bridge`, `macvlan`; nil for a physical interface and for loopback.
  public var kind: String?
  /// The number of the bridge that it is a port of.
  public var master: Int32?
  /// Its hardware address, whose length depends on its kind.
  public var address: [UInt8] = []
  /// The size of the largest packet, in bytes (MTU).
  public var mtu: UInt32 = 0
  /// How it handles packets: those of its flags (netdevice(7)) that CAP_NET_ADMIN can change, except whether it is up.
  public var handling: UInt32 = 0
  /// Its alternative names (IFLA_ALT_IFNAME).
  public var alternatives: [String] = []
  /// The interface that it is stacked on (MACVLAN, VLAN) or its peer (veth), and its permanent hardware address.
  public var origin = Origin()

  /// Tells an interface from another one that later gets the same index. CAP_NET_ADMIN in its network namespace cannot change it.
  public struct Origin: Equatable, Sendable {
    /// The permanent hardware address of a device (IFLA_PERM_ADDRESS); empty for an interface without one.
    public var address: [UInt8] = []
    /// The index of the interface that it is stacked on, or of the peer of a veth (IFLA_LINK).
    public var lower: Int32?
    /// The ID by which this network namespace knows the namespace of `lower` (IFLA_LINK_NETNSID); nil when it is the same namespace.
    public var namespace: Int32?

    public init() {}
  }
}

extension Link {
  /// Reads what follows the header of an RTM_NEWLINK; nil when it is too short or has no name.
  package init?(message payload: UnsafeRawBufferPointer) {
    guard payload.count >= MemoryLayout<ifinfomsg>.size else { return nil }
    let fixed = payload.loadUnaligned(as: ifinfomsg.self)
    self.init(index: fixed.ifi_index, name: "")
    handling = fixed.ifi_flags & Self.handlingFlags
    forEachAttribute(in: payload, after: MemoryLayout<ifinfomsg>.size) { type, content in decode(Int(type), content) }
    if name.isEmpty { return nil }
  }

  private mutating func decode(_ type: Int, _ content: UnsafeRawBufferPointer) {
    switch type {
    case IFLA_IFNAME: name = Self.text(content)
    case IFLA_ADDRESS: address = Array(content)
    case IFLA_MTU where content.count >= 4: mtu = content.loadUnaligned(as: UInt32.self)
    case IFLA_MASTER where content.count >= 4: master = content.loadUnaligned(as: Int32.self)
    case IFLA_LINK where content.count >= 4: origin.lower = content.loadUnaligned(as: Int32.self)
    case IFLA_LINK_NETNSID where content.count >= 4: origin.namespace = content.loadUnaligned(as: Int32.self)
    case IFLA_PERM_ADDRESS: origin.address = Array(content)
    case IFLA_PROP_LIST:
      forEachAttribute(in: content, after: 0) { type, content in
        if Int(type) == IFLA_ALT_IFNAME { alternatives.append(Self.text(content)) }
      }
    case IFLA_LINKINFO:
      forEachAttribute(in: content, after: 0) { type, content in
        if Int(type) == IFLA_INFO_KIND { kind = Self.text(content) }
      }
    default: break
    }
  }

  static let handlingFlags = UInt32(IFF_NOARP | IFF_PROMISC | IFF_ALLMULTI | IFF_MULTICAST)

  private static func text(_ content: UnsafeRawBufferPointer) -> String {
    String(decoding: content.prefix { $0 != 0 }, as: UTF8.self)
  }
}
