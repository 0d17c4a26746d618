import Glibc
import GuestSpec
import Linux
import Planning

/// The interfaces of one run, with what of the host belongs to them.
///
/// While they are there, a note in a file says what a later daemon has to undo, should this one be killed.
public final class GuestNetwork {
  private let netlink: RouteNetlink
  private let namespace: OwnedFD?
  private let place: Place
  private var note: NetworkNote
  private var hasEnded = false
  /// The host's ends of its links, by their index.
  public private(set) var hostIndexes: [Int32] = []

  /// Where the record of an instance's network is, in the runtime directory. Beside it is the file that keeps the namespace alive while
  /// interfaces of the host are in it: with the last process the kernel would destroy those that are not of hardware.
  public struct Place {
    let name: InstanceName
    let runtime: String

    public init(_ name: InstanceName, runtime: String) {
      self.name = name
      self.runtime = runtime
    }

    var note: String { name.path(of: .network, in: runtime) }
    var pin: String { name.path(of: .networkNamespace, in: runtime) }

    /// The guest's instances that have such a record.
    func ofSameGuest() throws(SystemError) -> [Place] {
      try InstanceName.files(in: runtime).filter { $0.key.guest == name.guest && $0.value.contains(.network) }
        .keys.sorted().map { Place($0, runtime: runtime) }
    }
  }

  /// Furnishes `namespace`, in which nobody is yet. First undoes what earlier instances of the guest have left.
  ///
  /// - Throws: `NetworkError`; everything is undone then.
  public convenience init(
    _ plan: NetworkPlan, in namespace: borrowing OwnedFD, recordedAt place: Place
  ) throws(NetworkError) {
    let earlier: [Place]
    do throws(SystemError) { earlier = try place.ofSameGuest() } catch { throw .system(error) }
    for earlier in earlier { try Self.undo(leftAt: earlier) }
    do throws(SystemError) {
      try self.init(NetworkNote(), namespace.duplicate(), place)
      try furnish(plan)
    } catch {
      throw .system(error)
    }
  }

  deinit {
    if !hasEnded { _ = end() }
  }

  /// The network of a guest that an earlier daemon left running; nil when nothing of the host belongs to it.
  ///
  /// - Throws: `SystemError`.
  public static func found(_ place: Place, of process: GuestProcess) throws(SystemError) -> GuestNetwork? {
    guard let note = try read(place) else { return nil }
    return try GuestNetwork(note, NetworkNamespace.open("/proc/\(process.pid)/ns/net"), place)
  }

  /// Undoes what is left of a guest that runs no more; there may be nothing.
  ///
  /// - Throws: `NetworkError` when something stays, with the note of it.
  public static func undo(leftAt place: Place) throws(NetworkError) {
    let network: GuestNetwork
    do throws(SystemError) {
      guard let note = try read(place) else { return }
      network = try GuestNetwork(note, pinned(place), place)
    } catch {
      throw .system(error)
    }
    if let problem = network.end().first { throw problem }
  }

  private init(_ note: NetworkNote, _ namespace: consuming OwnedFD?, _ place: Place) throws(SystemError) {
    netlink = try RouteNetlink()
    self.namespace = namespace
    self.place = place
    self.note = note
  }

  /// What leads to the guest, as soon as it has an address.
  public var ports: [ForwardedPort] { note.ports }
  /// The host's end of a virtual Ethernet at whose other end is nobody but the guest.
  public var hostEnd: String? { note.hostEnd }

  /// Tells the guest's addresses.
  ///
  /// - Throws: `SystemError`.
  public func watchAddresses() throws(SystemError) -> AddressWatch {
    // Only what is undone after the guest's end has no namespace.
    guard let namespace = try namespace?.duplicate() else {
      throw SystemError("watch the addresses of \(place.name)", errno: ESRCH)
    }
    return try AddressWatch(in: namespace)
  }
}

// Making.
extension GuestNetwork {
  private func furnish(_ plan: NetworkPlan) throws(SystemError) {
    note.ports = plan.ports
    note.hostEnd = plan.hostEnd
    for link in plan.links {
      switch link {
      case .interface(let host, let guest): note.interfaces.append(.init(host: host, guest: guest))
      case .virtualEthernet(_, _, .zone(let bridge)): note.zones.append(bridge)
      case .virtualEthernet, .macvlan, .ipvlan: break
      }
    }
    // Before anything is done: what a daemon that is killed in between has done is then found.
    try write()
    if !note.interfaces.isEmpty {
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
    case .interface(let host, let guest):
      try move(host, to: namespace, as: guest)
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
    note.links.append(host.name.name)
    hostIndexes.append(try netlink.link(host.name.name).index)
    // Only a help for whoever looks for it.
    if let whole = host.name.alternative { try? netlink.addAlternativeName(whole, to: netlink.link(host.name.name)) }
  }

  private func bridge(_ name: String) throws(SystemError) -> Link {
    let link = try netlink.link(name)
    if link.kind != "bridge" { throw SystemError("joining \(name) (not a bridge)", errno: EINVAL) }
    return link
  }

  private func move(_ host: String, to namespace: borrowing OwnedFD, as guest: String) throws(SystemError) {
    try netlink.move(netlink.link(host), to: namespace, as: guest)
    let moved = try RouteNetlink(in: namespace).link(guest)
    for index in note.interfaces.indices where note.interfaces[index].guest == guest {
      note.interfaces[index].index = moved.index
    }
  }
}

// Undoing.
extension GuestNetwork {
  /// Undoes everything. What cannot be brought home stays in its namespace, with the note, until the next start or the next daemon
  /// tries again.
  ///
  /// - Returns: what could not be done.
  public func end() -> [NetworkError] {
    hasEnded = true
    var problems: [NetworkError] = []
    func attempt(_ body: () throws(SystemError) -> Void) {
      do throws(SystemError) { try body() } catch { problems.append(.system(error)) }
    }
    attempt { () throws(SystemError) in problems += try bringHome().map { .system($0) } }
    for name in note.links {
      attempt { () throws(SystemError) in
        do throws(SystemError) {
          try netlink.delete(netlink.link(name))
        } catch {
          // It goes by itself when the guest's end does.
          if error.errno != ENODEV { throw error }
        }
      }
    }
    note.links = []
    // Only now: while the host's end was there, the guest may not be without the rule that keeps it from 127.0.0.1.
    if !note.ports.isEmpty {
      do throws(NftablesError) { try removeRules() } catch { problems.append(.rules(error)) }
    }
    for name in note.zones {
      attempt { () throws(SystemError) in try Zone(bridge: name, netlink: netlink).leave() }
    }
    if note.interfaces.isEmpty {
      NetworkNamespace.unpin(place.pin)
      removeFile(place.note)
    } else {
      attempt { () throws(SystemError) in try write() }
    }
    return problems
  }

  private func removeRules() throws(NftablesError) {
    do throws(NftablesError) {
      try Nftables.run(PortRules.removal(of: place.name.guest))
    } catch {
      // Without the library there were no rules either.
      if error != .noLibrary { throw error }
    }
  }

  /// Gives the host its interfaces back under their names. Those that cannot be moved stay in the note.
  ///
  /// - Returns: why, for each that did not come home under its name.
  private func bringHome() throws(SystemError) -> [SystemError] {
    guard !note.interfaces.isEmpty, let namespace = try namespace?.duplicate() else {
      note.interfaces = []
      return []
    }
    let inside = try RouteNetlink(in: namespace)
    let links = try inside.links()
    let home = try NetworkNamespace.own()
    var left: [NetworkNote.Interface] = []
    var problems: [SystemError] = []
    for interface in note.interfaces {
      let found = links.first {
        interface.index == 0 ? $0.name == interface.guest : $0.index == interface.index
      }
      do throws(SystemError) {
        if let found {
          try bring(found, home, as: interface.host, inside)
        } else if interface.index != 0 {
          throw SystemError("bringing the interface \(interface.host) home", errno: ENODEV)
        }
      } catch {
        problems.append(error)
        if error.errno != ENODEV && error.errno != EEXIST { left.append(interface) }
      }
    }
    note.interfaces = left
    return problems
  }

  private func bring(
    _ link: Link, _ home: borrowing OwnedFD, as name: String, _ inside: RouteNetlink
  ) throws(SystemError) {
    do throws(SystemError) {
      try inside.move(link, to: home, as: name)
    } catch {
      if error.errno != EEXIST { throw error }
      // The name is taken meanwhile. Any other is better than none; older kernels have moved it already.
      try? inside.move(link, to: home, as: "dormouse%d")
      throw SystemError("bringing the interface \(name) home under its name", errno: EEXIST)
    }
  }
}

// The note.
extension GuestNetwork {
  private func write() throws(SystemError) {
    if note == NetworkNote() { return removeFile(place.note) }
    try writeFile(place.note, note.text)
  }

  private static func read(_ place: Place) throws(SystemError) -> NetworkNote? {
    do throws(SystemError) {
      return NetworkNote(String(decoding: try readFile(place.note, limit: 64 << 10), as: UTF8.self))
    } catch {
      if error.errno == ENOENT { return nil }
      throw error
    }
  }

  private static func pinned(_ place: Place) throws(SystemError) -> OwnedFD? {
    do throws(SystemError) {
      return try NetworkNamespace.open(place.pin)
    } catch {
      // Nothing had been moved yet.
      if error.errno == ENOENT || error.errno == EINVAL { return nil }
      throw error
    }
  }
}
