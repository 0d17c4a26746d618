import Glibc
import Linux

// Interfaces of the host that the guest has while it runs.
extension GuestNetwork {
  /// The record of an interface before it is moved. `host` may be an alternative name; the record has the real name, and all alternative
  /// ones.
  func interface(_ host: String, as guest: String) throws(SystemError) -> NetworkRecord.Interface {
    let link = try netlink.link(host)
    var interface = NetworkRecord.Interface(host: link.name, guest: guest)
    (interface.address, interface.mtu, interface.handling) = (link.address, link.mtu, link.handling)
    interface.alternatives = link.alternatives.filter { !$0.contains(where: \.isWhitespace) }
    return interface
  }

  /// Moves the interface that is to be called `guest` into the network namespace, which has no process of the guest yet.
  ///
  /// The kernel moves an interface before it checks the new name, and may fail after that. So the interface is moved under a unique name,
  /// and gets the name `guest` when it has arrived.
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
    // The new name must not be an alternative name of the interface itself either.
    if link.alternatives.contains(guest) { try netlink.removeAlternativeNames([guest], from: link) }
    try netlink.move(link, to: namespace, as: interface.transit)
    let moved = try inside.link(interface.transit)
    record.interfaces[place].index = moved.index
    record.interfaces[place].kind = moved.kind
    record.interfaces[place].origin = moved.origin
    try write()
    try inside.rename(moved, to: guest)
    // Its former name becomes an alternative one, so that it can still be found by that.
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
    let home = try NetworkNamespace.own()
    var left: [NetworkRecord.Interface] = []
    var problems: [SystemError] = []
    for interface in record.interfaces {
      do throws(SystemError) {
        if let found = try interface.find(inside) {
          if !interface.is(found) {
            throw SystemError(
              "moving the interface \(interface.host) back to the host (another has its place)", errno: ENODEV)
          }
          try move(found, home, interface, inside)
        }
        let link = try welcome(interface)
        // The interface is back on the host, even if this fails.
        do throws(SystemError) { try restore(interface, on: link) } catch { problems.append(error) }
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
    // The guest may have added alternative names that exist on the host, and then the kernel refuses the move.
    try? inside.removeAlternativeNames(link.alternatives, from: link)
    try inside.move(link, to: home, as: interface.transit)
  }

  /// Gives a returned interface its names on the host again. One that was never moved may lack an alternative name, which `moveIn`
  /// removed.
  private func welcome(_ interface: NetworkRecord.Interface) throws(SystemError) -> Link {
    let link: Link
    if let moved = try? netlink.link(interface.transit) {
      link = moved
      do throws(SystemError) {
        try netlink.rename(moved, to: interface.host)
      } catch {
        if error.errno != EEXIST { throw error }
        // Another interface has taken the name. This one keeps its unique name, and is not lost.
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
    return link
  }

  /// Undoes what the guest has changed of an interface that has returned.
  private func restore(_ interface: NetworkRecord.Interface, on link: Link) throws(SystemError) {
    var earlier = link
    (earlier.address, earlier.mtu, earlier.handling) = (interface.address, interface.mtu, interface.handling)
    if earlier != link { try netlink.restore(earlier, on: link) }
  }
}

extension NetworkRecord.Interface {
  /// The link in the guest's namespace that has the index of this interface, or, before that is recorded, its unique name; nil when there is
  /// none. Only this one is asked for: a guest can make any number of links, and to list them takes as long as it likes.
  fileprivate func find(_ inside: RouteNetlink) throws(SystemError) -> Link? {
    do throws(SystemError) {
      return try index == 0 ? inside.link(transit) : inside.link(index)
    } catch {
      if error.errno == ENODEV { return nil }
      throw error
    }
  }

  /// Whether it is this one. Root in a guest can remove an interface and make another one of the same number, kind and address, whose
  /// other end is the guest's own: the host must not take that for its own.
  fileprivate func `is`(_ link: Link) -> Bool { index == 0 || link.kind == kind && link.origin == origin }
}
