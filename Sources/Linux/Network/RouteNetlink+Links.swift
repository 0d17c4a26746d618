import CLinux
import Glibc

// Interfaces. The comment above each request is the ip(8) command that does the same.
extension RouteNetlink {
  /// Finds an interface by its name or an alternative name.
  ///
  /// - Throws: `SystemError`: `ENODEV` when there is none.
  public func link(_ name: String) throws(SystemError) -> Link {
    // ip link show dev NAME
    let request = NetlinkRequest(RTM_GETLINK, flags: NLM_F_ACK, ifinfomsg())
    // An alternative name of at most 15 characters is found by IFLA_IFNAME as well.
    request.put(name.utf8.count <= 15 ? IFLA_IFNAME : IFLA_ALT_IFNAME, name)
    let what = "looking up the interface \(name)"
    guard let found = try links(request, what).first else { throw SystemError(what, errno: ENODEV) }
    return found
  }

  /// Finds an interface by its index.
  ///
  /// - Throws: `SystemError`: `ENODEV` when there is none.
  public func link(_ index: Int32) throws(SystemError) -> Link {
    // ip link show, for one index
    let what = "looking up the interface number \(index)"
    let request = NetlinkRequest(RTM_GETLINK, flags: NLM_F_ACK, ifinfomsg(index: index))
    guard let found = try links(request, what).first else { throw SystemError(what, errno: ENODEV) }
    return found
  }

  /// Lists every interface.
  ///
  /// - Throws: `SystemError` of the request.
  public func links() throws(SystemError) -> [Link] {
    // ip link show
    try links(NetlinkRequest(RTM_GETLINK, flags: NLM_F_DUMP, ifinfomsg()), "listing the interfaces")
  }

  private func links(_ request: NetlinkRequest, _ what: String) throws(SystemError) -> [Link] {
    try netlink.list(request, what) { Link(message: $0) }
  }

  /// The namespace, name and hardware address of an interface that is made in another network namespace.
  public struct Place: ~Copyable {
    let namespace: Int32
    let name: String
    /// Six bytes; an empty address leaves the choice to the kernel.
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

  /// Makes a pair of virtual Ethernet interfaces: one here, up and a port of the bridge `master`; the other at `peer`.
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
    try netlink.exchange(request, "making the virtual Ethernet link \(name)")
  }

  /// Makes an interface on top of the interface `parent` that has a hardware address of its own.
  ///
  /// - Throws: `SystemError`: `EOPNOTSUPP` when the kernel lacks this kind of interface.
  public func makeMACVLAN(on parent: Link, at place: borrowing Place) throws(SystemError) {
    // ip link add link PARENT name NAME address ADDRESS netns NAMESPACE type macvlan mode bridge
    let request = Self.making()
    request.put(IFLA_LINK, parent.index)
    place.put(into: request)
    request.nest(IFLA_LINKINFO) {
      request.put(IFLA_INFO_KIND, "macvlan")
      request.nest(IFLA_INFO_DATA) { request.put(IFLA_MACVLAN_MODE, MACVLAN_MODE_BRIDGE.rawValue) }
    }
    try netlink.exchange(request, "making a MACVLAN interface on \(parent.name)")
  }

  /// Makes an interface on top of the interface `parent` that shares its hardware address.
  ///
  /// - Throws: `SystemError`: `EOPNOTSUPP` when the kernel lacks this kind of interface.
  public func makeIPVLAN(on parent: Link, at place: borrowing Place) throws(SystemError) {
    // ip link add link PARENT name NAME netns NAMESPACE type ipvlan mode l2
    let request = Self.making()
    request.put(IFLA_LINK, parent.index)
    place.put(into: request)
    request.nest(IFLA_LINKINFO) {
      request.put(IFLA_INFO_KIND, "ipvlan")
      request.nest(IFLA_INFO_DATA) { request.put(IFLA_IPVLAN_MODE, UInt16(IPVLAN_MODE_L2.rawValue)) }
    }
    try netlink.exchange(request, "making an IPVLAN interface on \(parent.name)")
  }

  /// Makes a bridge without ports, and brings it up.
  ///
  /// - Throws: `SystemError`: `EEXIST` when the name is taken.
  public func makeBridge(_ name: String) throws(SystemError) {
    // ip link add NAME up type bridge
    let request = Self.making(up: true)
    request.put(IFLA_IFNAME, name)
    request.nest(IFLA_LINKINFO) { request.put(IFLA_INFO_KIND, "bridge") }
    try netlink.exchange(request, "making the bridge \(name)")
  }

  /// Removes an interface; of a virtual Ethernet pair, both.
  ///
  /// - Throws: `SystemError`: `ENODEV` when it is gone already.
  public func delete(_ link: Link) throws(SystemError) {
    // ip link delete dev NAME
    try netlink.exchange(
      NetlinkRequest(RTM_DELLINK, flags: NLM_F_ACK, ifinfomsg(index: link.index)), "removing the interface \(link.name)"
    )
  }

  /// Moves an interface to another namespace and renames it to `name`, which must be free there. Moving takes it down.
  ///
  /// - Throws: `SystemError`: `EEXIST` when the name is taken there. The kernel may rename after the move, so the interface may have moved
  ///   nevertheless. `EINVAL` when it cannot change its namespace.
  public func move(_ link: Link, to namespace: borrowing OwnedFD, as name: String) throws(SystemError) {
    // ip link set dev NAME netns NAMESPACE name NEW-NAME
    let request = NetlinkRequest(RTM_NEWLINK, flags: NLM_F_ACK, ifinfomsg(index: link.index))
    request.put(IFLA_NET_NS_FD, namespace.raw)
    request.put(IFLA_IFNAME, name)
    try netlink.exchange(request, "moving the interface \(link.name)")
  }

  /// Gives an interface, which must be down, the hardware address, MTU and handling of packets that `earlier` has.
  ///
  /// - Throws: `SystemError`.
  public func restore(_ earlier: Link, on link: Link) throws(SystemError) {
    // ip link set dev NAME address ADDRESS mtu MTU arp on promisc off allmulticast off multicast on
    var header = ifinfomsg(index: link.index)
    header.ifi_flags = earlier.handling
    header.ifi_change = Link.handlingFlags
    let request = NetlinkRequest(RTM_NEWLINK, flags: NLM_F_ACK, header)
    if earlier.address != link.address { request.put(IFLA_ADDRESS, earlier.address) }
    if earlier.mtu != link.mtu { request.put(IFLA_MTU, earlier.mtu) }
    try netlink.exchange(request, "restoring the settings of the interface \(link.name)")
  }

  /// Gives an interface a further name, which may be longer than 15 characters.
  ///
  /// - Throws: `SystemError`: `EEXIST` when the name is taken.
  public func addAlternativeName(_ name: String, to link: Link) throws(SystemError) {
    // ip link property add dev NAME altname ALTERNATIVE
    let request = NetlinkRequest(
      RTM_NEWLINKPROP, flags: NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND | NLM_F_ACK, ifinfomsg(index: link.index))
    request.nest(IFLA_PROP_LIST) { request.put(IFLA_ALT_IFNAME, name) }
    try netlink.exchange(request, "giving the interface \(link.name) the name \(name)")
  }

  /// Renames an interface, which must be down.
  ///
  /// - Throws: `SystemError`: `EEXIST` when the name is taken.
  public func rename(_ link: Link, to name: String) throws(SystemError) {
    // ip link set dev NAME name NEW-NAME
    let request = NetlinkRequest(RTM_NEWLINK, flags: NLM_F_ACK, ifinfomsg(index: link.index))
    request.put(IFLA_IFNAME, name)
    try netlink.exchange(request, "giving the interface \(link.name) the name \(name)")
  }

  /// Removes alternative names from an interface. Each request carries at most 128 of them.
  ///
  /// - Throws: `SystemError` when the interface does not have one of the names; those before it are removed then.
  public func removeAlternativeNames(_ names: [String], from link: Link) throws(SystemError) {
    // ip link property delete dev NAME altname ALTERNATIVE
    for start in stride(from: 0, to: names.count, by: 128) {
      let request = NetlinkRequest(RTM_DELLINKPROP, flags: NLM_F_ACK, ifinfomsg(index: link.index))
      request.nest(IFLA_PROP_LIST) {
        for name in names[start...].prefix(128) { request.put(IFLA_ALT_IFNAME, name) }
      }
      try netlink.exchange(request, "taking further names from the interface \(link.name)")
    }
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
