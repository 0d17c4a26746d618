import GuestSpec

/// The network interfaces and forwarded ports of a guest, as a value. The same guest on the same host has the same plan.
public struct NetworkPlan: Equatable, Sendable {
  /// The interfaces, in the order in which they are made.
  public var links: [Link] = []
  /// The host's ports that are forwarded to the guest as soon as it has an address.
  public var ports: [ForwardedPort] = []
  /// The host's end of a veth pair that connects host and guest only, without a bridge.
  public var hostEnd: String?

  /// Whether the network uses nothing of the host. Every network has a loopback interface.
  public var isEmpty: Bool { links.isEmpty && ports.isEmpty }

  /// One interface of the guest.
  public enum Link: Equatable, Sendable {
    /// A veth pair with one end on the host, which is up, and the other in the guest.
    case virtualEthernet(host: End, guest: End, bridge: Bridge?)
    /// A MACVLAN interface of the host's interface `parent`.
    case macvlan(parent: String, guest: End)
    /// An IPVLAN interface of the host's interface `parent`.
    case ipvlan(parent: String, guest: InterfaceName)
    /// The host's interface `host`, which is moved to the guest while it runs.
    case interface(host: String, guest: String)
  }

  /// One of the two interfaces of a veth pair.
  public struct End: Equatable, Sendable {
    /// Its name in its namespace.
    public var name: InterfaceName
    /// Its hardware address, which is the same at each start.
    public var address: MACAddress
  }

  /// The bridge that the host's end joins.
  public enum Bridge: Equatable, Sendable {
    /// A bridge that exists already.
    case existing(String)
    /// The bridge of a zone, made for its first port and removed with its last.
    case zone(String)
  }

  /// `hostID` is the host's machine-id(5), 32 hexadecimal digits.
  public init(_ settings: NetworkSettings, of guest: String, on hostID: String) {
    func end(_ name: String, _ use: MACAddress.Use, _ number: Int = 0) -> End {
      End(name: InterfaceName(fitting: name), address: MACAddress(of: guest, on: hostID, use, number: number))
    }
    links = settings.interfaces.map { .interface(host: $0.host, guest: $0.guest) }
    if settings.hasVirtualEthernet {
      let bridge = settings.bridge.map(Bridge.existing) ?? settings.zone.map { .zone("vz-" + $0) }
      let host = end((bridge == nil ? "ve-" : "vb-") + guest, .hostEnd)
      links.append(.virtualEthernet(host: host, guest: end(NetworkSettings.guestEnd, .guestEnd), bridge: bridge))
      if bridge == nil { hostEnd = host.name.name }
    }
    for (number, pair) in settings.extraLinks.enumerated() {
      let (host, guest) = (end(pair.host, .extraHostEnd, number), end(pair.guest, .extraGuestEnd, number))
      links.append(.virtualEthernet(host: host, guest: guest, bridge: nil))
    }
    for (number, pair) in settings.macvlans.enumerated() {
      links.append(.macvlan(parent: pair.host, guest: end(pair.guest, .macvlan, number)))
    }
    links += settings.ipvlans.map { .ipvlan(parent: $0.host, guest: InterfaceName(fitting: $0.guest)) }
    ports = settings.ports
  }
}
