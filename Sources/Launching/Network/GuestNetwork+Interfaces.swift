import Glibc
import Linux

// Interfaces of the host that the guest has while it runs.
extension GuestNetwork {
  /// What is to be known of an interface before it is moved: its own name, where the guest's file has an alternative one, and all others.
  func interface(_ host: String, as guest: String) throws(SystemError) -> NetworkRecord.Interface {
    let link = try netlink.link(host)
    var interface = NetworkRecord.Interface(host: link.name, guest: guest)
    interface.alternatives = link.alternatives.filter { !$0.contains(where: \.isWhitespace) }
    return interface
  }

  /// Moves the interface that is to be `guest` into the namespace, which nobody is in yet.
  ///
  /// The kernel moves it before it looks at the new name, and may fail then. So it is moved under a name that nobody has, and gets the
  /// name that was asked for once it is known to be there.
  func moveIn(_ guest: String) throws(SystemError) {
    guard let namespace = try namespace?.duplicate(),
      let place = record.interfaces.firstIndex(where: { $0.guest == guest && $0.index == 0 })
    else { return }
    let interface = record.interfaces[place]
    let inside = try RouteNetlink(in: namespace)
    if try inside.links().contains(where: { $0.name == guest || $0.alternatives.contains(guest) }) {
      throw SystemError("moving the interface \(interface.host) to the guest as \(guest)", errno: EEXIST)
    }
    let link = try netlink.link(interface.host)
    // An alternative name of its own is in its way, too.
    if link.alternatives.contains(guest) { try netlink.removeAlternativeNames([guest], from: link) }
    try netlink.move(link, to: namespace, as: interface.transit)
    let moved = try inside.link(interface.transit)
    record.interfaces[place].index = moved.index
    record.interfaces[place].kind = moved.kind
    record.interfaces[place].origin = moved.origin
    try write()
    try inside.rename(moved, to: guest)
    // It goes on being found under all of its names.
    if interface.alternatives.contains(guest) { try? inside.addAlternativeName(interface.host, to: moved) }
  }

  /// Moves the host's interfaces back to the host, under their names there. Those that cannot be moved stay in the record.
  ///
  /// - Returns: an error for each that was not moved, or was moved under another name.
  func moveHome() throws(SystemError) -> [SystemError] {
    guard !record.interfaces.isEmpty, let namespace = try namespace?.duplicate() else {
      record.interfaces = []
      return []
    }
    let inside = try RouteNetlink(in: namespace)
    let links = try inside.links()
    let home = try NetworkNamespace.own()
    var left: [NetworkRecord.Interface] = []
    var problems: [SystemError] = []
    for interface in record.interfaces {
      do throws(SystemError) {
        if let found = links.first(where: interface.isThere) {
          if !interface.is(found) {
            throw SystemError(
              "moving the interface \(interface.host) back to the host (another has its place)", errno: ENODEV)
          }
          try move(found, home, interface, inside)
        }
        try welcome(interface)
      } catch {
        problems.append(error)
        if error.errno != ENODEV && error.errno != EEXIST { left.append(interface) }
      }
    }
    record.interfaces = left
    return problems
  }

  private func move(
    _ link: Link, _ home: borrowing OwnedFD, _ interface: NetworkRecord.Interface, _ inside: RouteNetlink
  ) throws(SystemError) {
    // The guest may have given it names that others have on the host.
    try? inside.removeAlternativeNames(link.alternatives, from: link)
    try inside.move(link, to: home, as: interface.transit)
  }

  /// Gives an interface that has come home its names again. One that never left may lack an alternative name.
  private func welcome(_ interface: NetworkRecord.Interface) throws(SystemError) {
    let link: Link
    if let moved = try? netlink.link(interface.transit) {
      link = moved
      do throws(SystemError) {
        try netlink.rename(moved, to: interface.host)
      } catch {
        if error.errno != EEXIST { throw error }
        // Another interface has taken the name. Any name is better than losing the interface.
        throw SystemError("moving the interface back to the host as \(interface.host)", errno: EEXIST)
      }
    } else if interface.index == 0 {
      link = try netlink.link(interface.host)
    } else {
      throw SystemError("moving the interface \(interface.host) back to the host", errno: ENODEV)
    }
    for name in interface.alternatives where !link.alternatives.contains(name) {
      try? netlink.addAlternativeName(name, to: link)
    }
  }
}

extension NetworkRecord.Interface {
  /// Whether a link in the guest's namespace has this one's place.
  fileprivate func isThere(_ link: Link) -> Bool { index == 0 ? link.name == transit : link.index == index }

  /// Whether it is this one. Root in a guest can remove an interface and make another one of the same number, kind and address, whose
  /// other end is the guest's own: the host must not take that for its own.
  fileprivate func `is`(_ link: Link) -> Bool { index == 0 || link.kind == kind && link.origin == origin }
}
