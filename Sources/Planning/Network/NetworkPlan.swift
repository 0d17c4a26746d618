import GuestSpec

/// How the network namespace of a guest is furnished, as a value: the same guest on the same host has the same.
public struct NetworkPlan: Equatable, Sendable {
  /// In the order in which they are made.
  public var links: [Link] = []
  /// What leads to the guest, as soon as it has an address.
  public var ports: [ForwardedPort] = []
  /// The host's end of a virtual Ethernet that is no bridge's port: nobody but the guest is at its other end.
  public var hostEnd: String?

  /// Whether nothing of the host belongs to it; a loopback interface is in any.
  public var isEmpty: Bool { links.isEmpty && ports.isEmpty }

  /// One interface of the guest.
  public enum Link: Equatable, Sendable {
    /// One end is the host's and up, the other the guest's.
    case virtualEthernet(host: End, guest: End, bridge: Bridge?)
    /// On top of the host's interface `parent`.
    case macvlan(parent: String, guest: End)
    case ipvlan(parent: String, guest: InterfaceName)
    /// The host's interface `host` is the guest's while it runs.
    case interface(host: String, guest: String)
  }

  /// One of the two interfaces of a pair.
  public struct End: Equatable, Sendable {
    /// As it is called where it lies.
    public var name: InterfaceName
    /// The same at each start.
    public var address: MACAddress
  }

  /// What the host's end joins.
  public enum Bridge: Equatable, Sendable {
    /// One that somebody made.
    case existing(String)
    /// One that is made for its first port and goes with its last.
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
