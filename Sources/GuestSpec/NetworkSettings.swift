/// `[Network]`: the guest's network.
public struct NetworkSettings: Equatable, Sendable {
  /// `Private=` as written; other settings may imply it (`isPrivate`).
  var wantsPrivate = false
  /// `VirtualEthernet=` as written; other settings may imply it (`hasVirtualEthernet`).
  var wantsVirtualEthernet = false
  /// `VirtualEthernetExtra=`: further virtual Ethernet pairs.
  public var extraLinks: [InterfacePair] = []
  /// `Interface=`: interfaces of the host that move into the guest while it runs.
  public var interfaces: [InterfacePair] = []
  /// `MACVLAN=`: interfaces of the host, and the guest's MACVLAN interfaces on top of them.
  public var macvlans: [InterfacePair] = []
  /// `IPVLAN=`: interfaces of the host, and the guest's IPVLAN interfaces on top of them.
  public var ipvlans: [InterfacePair] = []
  /// `Bridge=`: a bridge of the host that the host end of the virtual Ethernet pair joins.
  public var bridge: String?
  /// `Zone=`: as `bridge`, with a bridge that is created for the first guest of the zone and removed with the last.
  public var zone: String?
  /// `Port=`: ports of the host that are forwarded to ports of the guest.
  public var ports: [ForwardedPort] = []
  /// `NamespacePath=`: an existing network namespace that the guest uses.
  public var namespacePath: String?

  public init() {}

  /// Whether the guest has its own network namespace: `Private=`, or a setting that implies it. Setting this sets `Private=`.
  public var isPrivate: Bool {
    get {
      wantsPrivate || hasVirtualEthernet
        || ![extraLinks, interfaces, macvlans, ipvlans].allSatisfy(\.isEmpty)
    }
    set { wantsPrivate = newValue }
  }

  /// Whether the guest is not in the host's network: it has its own namespace, or an existing one (`NamespacePath=`).
  public var isOfItsOwn: Bool { isPrivate || namespacePath != nil }

  /// Whether the guest has a virtual Ethernet pair, `host0` in the guest: `VirtualEthernet=`, or a setting that implies it. Setting
  /// this sets `VirtualEthernet=`.
  public var hasVirtualEthernet: Bool {
    get { wantsVirtualEthernet || bridge != nil || zone != nil }
    set { wantsVirtualEthernet = newValue }
  }
}

/// The names of a network interface, or of the two ends of a pair, on the host and in the guest.
public struct InterfacePair: Hashable, Sendable {
  /// The name on the host.
  public var host: String
  /// The name in the guest.
  public var guest: String

  public init(host: String, guest: String) {
    self.host = host
    self.guest = guest
  }
}

/// A port that `Port=` forwards.
public struct ForwardedPort: Hashable, Sendable, CustomStringConvertible {
  /// The transport protocol of a port.
  public enum TransportProtocol: String, Hashable, Sendable, CaseIterable {
    case tcp, udp
  }

  /// The protocol; TCP by default.
  public var transport: TransportProtocol
  /// The port of the host, to which clients connect.
  public var hostPort: UInt16
  /// The port of the guest, to which their connections are forwarded.
  public var guestPort: UInt16

  public init(_ transport: TransportProtocol, host: UInt16, guest: UInt16) {
    self.transport = transport
    hostPort = host
    guestPort = guest
  }

  /// `tcp:8080:80`, as in `Port=`.
  public var description: String { "\(transport.rawValue):\(hostPort):\(guestPort)" }
}

extension NetworkSettings {
  /// The contradictions between settings: the key at whose line to report each, or nil where none is wrong by itself, and a message.
  var contradictions: [(key: String?, problem: String)] {
    var found: [(String?, String)] = []
    if bridge != nil, zone != nil {
      found.append(("Zone", "a guest can join only one bridge; remove Bridge= or Zone="))
    }
    if namespacePath != nil, isPrivate {
      found.append(
        ("NamespacePath", "an existing namespace is not configured by Dormouse; remove this or the other settings"))
    }
    if !ports.isEmpty, !isPrivate {
      found.append(("Port", "a guest in the host's network uses the host's ports; add VirtualEthernet=yes"))
    }
    if let twice = Self.firstTwice(ports.map { "\($0.transport.rawValue):\($0.hostPort)" }) {
      found.append(("Port", "the port \(twice) of the host is forwarded twice; remove one of the lines"))
    }
    let inGuest = (hasVirtualEthernet ? [Self.guestEnd] : []) + links.map(\.guest)
    if let twice = Self.firstTwice(inGuest) {
      found.append((nil, "two interfaces of the guest would be named \(twice); rename one of them"))
    }
    return found
  }

  /// The name of the guest's end of the virtual Ethernet pair, which the Container Interface prescribes.
  public static let guestEnd = "host0"

  private var links: [InterfacePair] { extraLinks + interfaces + macvlans + ipvlans }

  private static func firstTwice(_ names: [String]) -> String? {
    var seen: Set<String> = []
    return names.first { !seen.insert($0).inserted }
  }
}
