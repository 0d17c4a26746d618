import Glibc
import GuestSpec
import Linux
import Planning

/// The network interfaces of an instance, and what they use of the host: veth ends, bridges, moved interfaces, rules of the packet filter.
///
/// While the network exists, a record in a file says what a later daemon has to undo if this one is killed.
public final class GuestNetwork {
  let netlink: RouteNetlink
  let namespace: OwnedFD?
  private let place: Place
  var record: NetworkRecord
  private var hasEnded = false
  /// The interface indexes of the host's ends of its links.
  public private(set) var hostIndexes: [Int32] = []

  /// Where the record of an instance's network is, in the runtime directory. Beside it a bind mount keeps the namespace while interfaces of
  /// the host are in it, or ports are forwarded to it: without it the kernel would destroy virtual interfaces when the last process ends,
  /// and a later daemon would not find the namespace.
  public struct Place {
    let name: InstanceName
    let runtime: String

    public init(_ name: InstanceName, runtime: String) {
      self.name = name
      self.runtime = runtime
    }

    var record: String { name.path(of: .network, in: runtime) }
    var pin: String { name.path(of: .networkNamespace, in: runtime) }

    /// The guest's instances that have such a record.
    func ofSameGuest() throws(SystemError) -> [Place] {
      try InstanceName.files(in: runtime).filter { $0.key.guest == name.guest && $0.value.contains(.network) }
        .keys.sorted().map { Place($0, runtime: runtime) }
    }
  }

  /// Makes the interfaces of `plan` in `namespace`, which no process is in yet. First undoes what earlier instances of the guest have left.
  ///
  /// - Throws: `NetworkError`, after undoing everything.
  public convenience init(
    _ plan: NetworkPlan, in namespace: borrowing OwnedFD, recordedAt place: Place
  ) throws(NetworkError) {
    let earlier: [Place]
    do throws(SystemError) { earlier = try place.ofSameGuest() } catch { throw .system(error) }
    for earlier in earlier { try Self.undo(leftAt: earlier) }
    do throws(SystemError) {
      try self.init(NetworkRecord(), namespace.duplicate(), place)
      try furnish(plan)
    } catch {
      throw .system(error)
    }
  }

  deinit {
    if !hasEnded { _ = end() }
  }

  /// Takes over the network of an orphan, an instance that an earlier daemon left running.
  ///
  /// - Returns: nil when its network uses nothing of the host.
  /// - Throws: `SystemError`.
  public static func found(_ place: Place) throws(SystemError) -> GuestNetwork? {
    guard let record = try read(place) else { return nil }
    // Not the namespace of PID 1, which may have left the one that it was given (unshare(2)).
    return try GuestNetwork(record, pinned(place), place)
  }

  /// Undoes the network of an instance that has ended. Does nothing where there is no record.
  ///
  /// - Throws: `NetworkError` when something could not be undone; the record stays.
  public static func undo(leftAt place: Place) throws(NetworkError) {
    let network: GuestNetwork
    do throws(SystemError) {
      guard let record = try read(place) else { return }
      network = try GuestNetwork(record, pinned(place), place)
    } catch {
      throw .system(error)
    }
    if let problem = network.end().first { throw problem }
  }

  private init(_ record: NetworkRecord, _ namespace: consuming OwnedFD?, _ place: Place) throws(SystemError) {
    netlink = try RouteNetlink()
    self.namespace = namespace
    self.place = place
    self.record = record
  }

  /// The host's ports that are forwarded to the guest as soon as it has an address.
  public var ports: [ForwardedPort] { record.ports }
  /// The host's end of a veth pair that connects host and guest only, without a bridge.
  public var hostEnd: String? { record.hostEnd }

  /// The host's interfaces by which it reaches the guest: the ends of its links, and the bridges that they are ports of.
  ///
  /// - Throws: `SystemError`.
  public func ways() throws(SystemError) -> [Link] {
    var ways: [Link] = []
    for name in record.links {
      let link: Link
      do throws(SystemError) {
        link = try netlink.link(name)
      } catch {
        // Root in the guest has removed its end, and the kernel this one.
        if error.errno == ENODEV { continue }
        throw error
      }
      ways.append(link)
      if let master = link.master { ways.append(try netlink.link(master)) }
    }
    return ways
  }

  /// Whether the host's routes lead to an address by one of `ways`.
  public func leads(_ ways: [Link], to address: IPAddress) -> Bool {
    let interface = netlink.interface(towards: address)
    return ways.contains { $0.index == interface }
  }

  /// Watches the addresses in the guest's network namespace.
  ///
  /// - Throws: `SystemError`; `ESRCH` where the guest has ended.
  public func watchAddresses() throws(SystemError) -> AddressWatch {
    // A network that is being undone after the guest's end may have no namespace.
    guard let namespace = try namespace?.duplicate() else {
      throw SystemError("watch the addresses of \(place.name)", errno: ESRCH)
    }
    return try AddressWatch(in: namespace)
  }
}

// Making.
extension GuestNetwork {
  private func furnish(_ plan: NetworkPlan) throws(SystemError) {
    record.ports = plan.ports
    record.hostEnd = plan.hostEnd
    for link in plan.links {
      switch link {
      case .interface(let host, let guest): try record.interfaces.append(interface(host, as: guest))
      case .virtualEthernet(_, _, .zone(let bridge)): record.zones.append(bridge)
      case .virtualEthernet, .macvlan, .ipvlan: break
      }
    }
    // Before the first interface is made: if the daemon is killed in between, the next one finds what to undo.
    try write()
    if !record.interfaces.isEmpty || !record.ports.isEmpty {
      guard let namespace = try namespace?.duplicate() else { return }
      try NetworkNamespace.pin(namespace, at: place.pin)
    }
    for link in plan.links { try make(link) }
    try write()
  }

  private func make(_ link: NetworkPlan.Link) throws(SystemError) {
    guard let namespace = try namespace?.duplicate() else { return }
    switch link {
    case .virtualEthernet(let host, let guest, nil):
      try pair(host, guest, namespace, master: nil)
    case .virtualEthernet(let host, let guest, .existing(let name)):
      try pair(host, guest, namespace, master: bridge(name))
    case .virtualEthernet(let host, let guest, .zone(let name)):
      try Zone(bridge: name, netlink: netlink).join { bridge throws(SystemError) in
        try pair(host, guest, namespace, master: bridge)
      }
    case .macvlan(let parent, let guest):
      try netlink.makeMACVLAN(on: netlink.link(parent), at: place(of: guest, namespace))
    case .ipvlan(let parent, let guest):
      try netlink.makeIPVLAN(on: netlink.link(parent), at: .init(namespace, name: guest.name))
    case .interface(_, let guest):
      try moveIn(guest)
    }
  }

  private func place(of end: NetworkPlan.End, _ namespace: borrowing OwnedFD) -> RouteNetlink.Place {
    RouteNetlink.Place(namespace, name: end.name.name, address: end.address.bytes)
  }

  private func pair(
    _ host: NetworkPlan.End, _ guest: NetworkPlan.End, _ namespace: borrowing OwnedFD, master: Link?
  ) throws(SystemError) {
    try netlink.makeVirtualEthernet(
      host.name.name, address: host.address.bytes, master: master?.index, peer: place(of: guest, namespace))
    record.links.append(host.name.name)
    hostIndexes.append(try netlink.link(host.name.name).index)
    // Before a process of the guest can send anything.
    try ignoreRouters(on: host.name.name)
    // Best effort: the long name is a convenience for ip(8).
    if let whole = host.name.alternative { try? netlink.addAlternativeName(whole, to: netlink.link(host.name.name)) }
  }

  private func bridge(_ name: String) throws(SystemError) -> Link {
    let link = try netlink.link(name)
    if link.kind != "bridge" { throw SystemError("joining \(name) (not a bridge)", errno: EINVAL) }
    return link
  }
}

// Undoing.
extension GuestNetwork {
  /// Undoes everything. An interface that cannot be moved back to the host stays in its namespace, and in the record, until the guest's
  /// next start or the next daemon tries again.
  ///
  /// - Returns: the errors.
  public func end() -> [NetworkError] {
    hasEnded = true
    var problems: [NetworkError] = []
    func attempt(_ body: () throws(SystemError) -> Void) {
      do throws(SystemError) { try body() } catch { problems.append(.system(error)) }
    }
    attempt { () throws(SystemError) in problems += try moveHome().map { .system($0) } }
    for name in record.links {
      attempt { () throws(SystemError) in
        do throws(SystemError) {
          try netlink.delete(netlink.link(name))
        } catch {
          // The kernel removes it together with the guest's end.
          if error.errno != ENODEV { throw error }
        }
      }
    }
    record.links = []
    // After the links: while the host's end exists, the rules keep the guest from the host's 127.0.0.1.
    if !record.ports.isEmpty {
      do throws(NftablesError) { try removeRules() } catch { problems.append(.rules(error)) }
    }
    for name in record.zones {
      attempt { () throws(SystemError) in try Zone(bridge: name, netlink: netlink).leave() }
    }
    if record.interfaces.isEmpty {
      NetworkNamespace.unpin(place.pin)
      removeFile(place.record)
    } else {
      attempt { () throws(SystemError) in try write() }
    }
    return problems
  }

  private func removeRules() throws(NftablesError) {
    do throws(NftablesError) {
      try Nftables.run(PortRules.removal(of: place.name.guest))
    } catch {
      // Without the library no rules were made.
      if error != .noLibrary { throw error }
    }
  }
}

// The record.
extension GuestNetwork {
  func write() throws(SystemError) {
    if record == NetworkRecord() { return removeFile(place.record) }
    try writeFile(place.record, record.text)
  }

  private static func read(_ place: Place) throws(SystemError) -> NetworkRecord? {
    do throws(SystemError) {
      return NetworkRecord(String(decoding: try readFile(place.record, limit: 64 << 10), as: UTF8.self))
    } catch {
      if error.errno == ENOENT { return nil }
      throw error
    }
  }

  private static func pinned(_ place: Place) throws(SystemError) -> OwnedFD? {
    do throws(SystemError) {
      return try NetworkNamespace.open(place.pin)
    } catch {
      // The daemon was killed before it moved an interface.
      if error.errno == ENOENT || error.errno == EINVAL { return nil }
      throw error
    }
  }
}
