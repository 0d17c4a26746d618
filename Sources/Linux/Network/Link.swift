import CLinux
import Glibc

/// A network interface.
public struct Link: Equatable, Sendable {
  /// Its number in its namespace.
  public var index: Int32
  /// At most 15 characters.
  public var name: String
  /// Further names, which may be longer than 15 characters.
  public var alternativeNames: [String] = []
  /// `veth`, `bridge`, `macvlan`; nil for what is no virtual interface, and for loopback.
  public var kind: String?
  /// The bridge that it is a port of.
  public var master: Int32?
  /// Hardware address, as many bytes as its kind has.
  public var address: [UInt8] = []
  /// Whether it is up as far as the administrator is concerned (IFF_UP).
  public var isUp = false
}

extension Link {
  /// What follows the header of a RTM_NEWLINK; nil when it is too short for one.
  package init?(message payload: UnsafeRawBufferPointer) {
    guard payload.count >= MemoryLayout<ifinfomsg>.size else { return nil }
    let fixed = payload.loadUnaligned(as: ifinfomsg.self)
    self.init(index: fixed.ifi_index, name: "")
    isUp = fixed.ifi_flags & UInt32(IFF_UP) != 0
    forEachAttribute(in: payload, after: MemoryLayout<ifinfomsg>.size) { type, content in take(Int(type), content) }
    if name.isEmpty { return nil }
  }

  private mutating func take(_ type: Int, _ content: UnsafeRawBufferPointer) {
    switch type {
    case IFLA_IFNAME: name = Self.text(content)
    case IFLA_ADDRESS: address = Array(content)
    case IFLA_MASTER where content.count >= 4: master = content.loadUnaligned(as: Int32.self)
    case IFLA_LINKINFO:
      forEachAttribute(in: content, after: 0) { type, content in
        if Int(type) == IFLA_INFO_KIND { kind = Self.text(content) }
      }
    case IFLA_PROP_LIST:
      forEachAttribute(in: content, after: 0) { type, content in
        if Int(type) == IFLA_ALT_IFNAME { alternativeNames.append(Self.text(content)) }
      }
    default: break
    }
  }

  private static func text(_ content: UnsafeRawBufferPointer) -> String {
    String(decoding: content.prefix { $0 != 0 }, as: UTF8.self)
  }
}
