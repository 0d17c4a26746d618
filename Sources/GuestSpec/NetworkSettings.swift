/// `[Network]`: what the guest has of the network.
public struct NetworkSettings: Equatable, Sendable {
  /// `Private=` as it is written; what the guest gets is `isPrivate`.
  var wantsPrivate = false
  /// `VirtualEthernet=` as it is written; what the guest gets is `hasVirtualEthernet`.
  var wantsVirtualEthernet = false
  /// `VirtualEthernetExtra=`: further pairs, on the host and in the guest.
  public var extraLinks: [InterfacePair] = []
  /// `Interface=`: interfaces of the host that are the guest's while it runs.
  public var interfaces: [InterfacePair] = []
  /// `MACVLAN=`: interfaces of the host, and the names of the guest's own on top of them.
  public var macvlans: [InterfacePair] = []
  /// `IPVLAN=`: as `macvlans`.
  public var ipvlans: [InterfacePair] = []
  /// `Bridge=`: a bridge of the host that the virtual Ethernet's host end joins.
  public var bridge: String?
  /// `Zone=`: as `bridge`, with one that is made for its first guest and removed with its last.
  public var zone: String?
  /// `Port=`: ports of the host that lead to ports of the guest.
  public var ports: [ForwardedPort] = []
  /// `NamespacePath=`: an existing network namespace to run in.
  public var namespacePath: String?

  public init() {}

  /// Whether the guest has a network namespace of its own: `Private=`, or one of the settings that imply it. When set, what `Private=`
  /// says.
  public var isPrivate: Bool {
    get {
      wantsPrivate || hasVirtualEthernet
        || ![extraLinks, interfaces, macvlans, ipvlans].allSatisfy(\.isEmpty)
    }
    set { wantsPrivate = newValue }
  }

  /// Whether there is a pair of virtual Ethernet interfaces, `host0` in the guest: `VirtualEthernet=`, or one of the settings that
  /// imply it. When set, what `VirtualEthernet=` says.
  public var hasVirtualEthernet: Bool {
    get { wantsVirtualEthernet || bridge != nil || zone != nil }
    set { wantsVirtualEthernet = newValue }
  }
}

/// An interface by its two names.
public struct InterfacePair: Hashable, Sendable {
  /// Its name on the host.
  public var host: String
  /// Its name in the guest.
  public var guest: String

  public init(host: String, guest: String) {
    self.host = host
    self.guest = guest
  }
}

/// One line of `Port=`.
public struct ForwardedPort: Hashable, Sendable, CustomStringConvertible {
  /// What a port is a port of.
  public enum TransportProtocol: String, Hashable, Sendable, CaseIterable {
    case tcp, udp
  }

  /// TCP where nothing is said.
  public var transport: TransportProtocol
  /// Where clients connect to.
  public var hostPort: UInt16
  /// Where they come out.
  public var guestPort: UInt16

  public init(_ transport: TransportProtocol, host: UInt16, guest: UInt16) {
    self.transport = transport
    hostPort = host
    guestPort = guest
  }

  /// `tcp:8080:80`, as `Port=` takes it.
  public var description: String { "\(transport.rawValue):\(hostPort):\(guestPort)" }
}

extension NetworkSettings {
  /// What is wrong only with several settings together: the key to blame, unless it may be any, and what is wrong with the remedy.
  var contradictions: [(key: String?, problem: String)] {
    var found: [(String?, String)] = []
    if bridge != nil, zone != nil {
      found.append(("Zone", "a guest joins one bridge only; take out Bridge= or Zone="))
    }
    if namespacePath != nil, isPrivate {
      found.append(
        ("NamespacePath", "a namespace is furnished by whoever made it; take this out, or the other settings"))
    }
    if !ports.isEmpty, !isPrivate {
      found.append(("Port", "without a network of its own the guest has the host's ports; add VirtualEthernet=yes"))
    }
    if let twice = Self.firstTwice(ports.map { "\($0.transport.rawValue):\($0.hostPort)" }) {
      found.append(("Port", "the host's port \(twice) stands twice; it can lead to one place only"))
    }
    let inGuest = (hasVirtualEthernet ? [Self.guestEnd] : []) + links.map(\.guest)
    if let twice = Self.firstTwice(inGuest) {
      found.append((nil, "two interfaces of the guest would be named \(twice); name one otherwise"))
    }
    return found
  }

  /// The guest's end of the virtual Ethernet, as the Container Interface asks.
  public static let guestEnd = "host0"

  private var links: [InterfacePair] { extraLinks + interfaces + macvlans + ipvlans }

  private static func firstTwice(_ names: [String]) -> String? {
    var seen: Set<String> = []
    return names.first { !seen.insert($0).inserted }
  }
}
