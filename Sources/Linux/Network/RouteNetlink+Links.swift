import CLinux
import Glibc

// Interfaces. Before each request stands the command of ip(8) that asks for the same.
extension RouteNetlink {
  /// - Throws: `SystemError`: `ENODEV` when there is none called `name`, by its own or an alternative name.
  public func link(_ name: String) throws(SystemError) -> Link {
    // ip link show dev NAME
    let request = NetlinkRequest(RTM_GETLINK, flags: NLM_F_ACK, ifinfomsg())
    // An alternative name of at most 15 characters is found by IFLA_IFNAME as well.
    request.put(name.utf8.count <= 15 ? IFLA_IFNAME : IFLA_ALT_IFNAME, name)
    let what = "looking up the interface \(name)"
    guard let found = try links(request, what).first else { throw SystemError(what, errno: ENODEV) }
    return found
  }

  /// Every interface.
  ///
  /// - Throws: `SystemError` of the request.
  public func links() throws(SystemError) -> [Link] {
    // ip link show
    try links(NetlinkRequest(RTM_GETLINK, flags: NLM_F_DUMP, ifinfomsg()), "listing the interfaces")
  }

  private func links(_ request: NetlinkRequest, _ what: String) throws(SystemError) -> [Link] {
    var links: [Link] = []
    try list(request, what, { links = [] }) { payload in
      if let link = Link(message: payload) { links.append(link) }
    }
    return links
  }

  /// Where an interface is made that is another namespace's.
  public struct Place: ~Copyable {
    let namespace: Int32
    let name: String
    /// Six bytes; none leaves the choice to the kernel.
    let address: [UInt8]

    /// `namespace` is borrowed until the request has been made.
    public init(_ namespace: borrowing OwnedFD, name: String, address: [UInt8] = []) {
      self.namespace = namespace.raw
      self.name = name
      self.address = address
    }

    fileprivate func put(into request: NetlinkRequest) {
      request.put(IFLA_IFNAME, name)
      if !address.isEmpty { request.put(IFLA_ADDRESS, address) }
      request.put(IFLA_NET_NS_FD, namespace)
    }
  }

  /// Makes a pair of virtual Ethernet interfaces, the one here up and a port of the bridge `master`, the other at `peer`.
  ///
  /// - Throws: `SystemError`: `EEXIST` when one of the names is taken.
  public func makeVirtualEthernet(
    _ name: String, address: [UInt8], master: Int32? = nil, peer: borrowing Place
  ) throws(SystemError) {
    // ip link add NAME address ADDRESS up master MASTER type veth peer name PEER address ADDRESS netns NAMESPACE
    let request = Self.making(up: true)
    request.put(IFLA_IFNAME, name)
    request.put(IFLA_ADDRESS, address)
    if let master { request.put(IFLA_MASTER, master) }
    request.nest(IFLA_LINKINFO) {
      request.put(IFLA_INFO_KIND, "veth")
      request.nest(IFLA_INFO_DATA) {
        request.nest(Int(VETH_INFO_PEER), ifinfomsg()) { peer.put(into: request) }
      }
    }
    try ask(request, "making the virtual Ethernet link \(name)")
  }

  /// Makes an interface with a hardware address of its own on top of the interface `parent`.
  ///
  /// - Throws: `SystemError`: `EOPNOTSUPP` when the kernel has none of the kind.
  public func makeMACVLAN(on parent: Link, at place: borrowing Place) throws(SystemError) {
    // ip link add link PARENT name NAME address ADDRESS netns NAMESPACE type macvlan mode bridge
    let request = Self.making()
    request.put(IFLA_LINK, parent.index)
    place.put(into: request)
    request.nest(IFLA_LINKINFO) {
      request.put(IFLA_INFO_KIND, "macvlan")
      request.nest(IFLA_INFO_DATA) { request.put(IFLA_MACVLAN_MODE, MACVLAN_MODE_BRIDGE.rawValue) }
    }
    try ask(request, "making a MACVLAN interface on \(parent.name)")
  }

  /// Makes an interface with the hardware address of the interface `parent` on top of that.
  ///
  /// - Throws: `SystemError`: `EOPNOTSUPP` when the kernel has none of the kind.
  public func makeIPVLAN(on parent: Link, at place: borrowing Place) throws(SystemError) {
    // ip link add link PARENT name NAME netns NAMESPACE type ipvlan mode l2
    let request = Self.making()
    request.put(IFLA_LINK, parent.index)
    place.put(into: request)
    request.nest(IFLA_LINKINFO) {
      request.put(IFLA_INFO_KIND, "ipvlan")
      request.nest(IFLA_INFO_DATA) { request.put(IFLA_IPVLAN_MODE, UInt16(IPVLAN_MODE_L2.rawValue)) }
    }
    try ask(request, "making an IPVLAN interface on \(parent.name)")
  }

  /// Makes a bridge without ports, up.
  ///
  /// - Throws: `SystemError`: `EEXIST` when the name is taken.
  public func makeBridge(_ name: String) throws(SystemError) {
    // ip link add NAME up type bridge
    let request = Self.making(up: true)
    request.put(IFLA_IFNAME, name)
    request.nest(IFLA_LINKINFO) { request.put(IFLA_INFO_KIND, "bridge") }
    try ask(request, "making the bridge \(name)")
  }

  /// Takes an interface away; of a pair both.
  ///
  /// - Throws: `SystemError`: `ENODEV` when it has gone already.
  public func delete(_ link: Link) throws(SystemError) {
    // ip link delete dev NAME
    try ask(
      NetlinkRequest(RTM_DELLINK, flags: NLM_F_ACK, ifinfomsg(index: link.index)), "removing the interface \(link.name)"
    )
  }

  /// Gives an interface to another namespace under a name that is free there.
  ///
  /// - Throws: `SystemError`: `EEXIST` when the name is taken there, `EINVAL` when the interface cannot leave.
  public func move(_ link: Link, to namespace: borrowing OwnedFD, as name: String) throws(SystemError) {
    // ip link set dev NAME netns NAMESPACE name NEW-NAME
    let request = NetlinkRequest(RTM_NEWLINK, flags: NLM_F_ACK, ifinfomsg(index: link.index))
    request.put(IFLA_NET_NS_FD, namespace.raw)
    request.put(IFLA_IFNAME, name)
    try ask(request, "moving the interface \(link.name)")
  }

  /// - Throws: `SystemError`: `EEXIST` when the name is taken.
  public func addAlternativeName(_ name: String, to link: Link) throws(SystemError) {
    // ip link property add dev NAME altname ALTERNATIVE
    let request = NetlinkRequest(
      RTM_NEWLINKPROP, flags: NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND | NLM_F_ACK, ifinfomsg(index: link.index))
    request.nest(IFLA_PROP_LIST) { request.put(IFLA_ALT_IFNAME, name) }
    try ask(request, "giving the interface \(link.name) the name \(name)")
  }

  private static func making(up: Bool = false) -> NetlinkRequest {
    NetlinkRequest(RTM_NEWLINK, flags: NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, ifinfomsg(up: up))
  }
}

extension ifinfomsg {
  fileprivate init(index: Int32 = 0, up: Bool = false) {
    self.init()
    ifi_index = index
    if up {
      ifi_flags = UInt32(IFF_UP)
      ifi_change = UInt32(IFF_UP)
    }
  }
}
