/// An address of a `.socket` unit that the guest file probably means, and the difference between the two.
public struct NearMiss: Equatable, Sendable, CustomStringConvertible {
  private let wanted: Listen
  private let found: Listen
  private let unit: String
  fileprivate let difference: Difference

  /// The mistakes, from the most likely to the least likely.
  fileprivate enum Difference: Int, Sendable {
    case kind, family, interface, path, nameSpace, port
  }

  /// The address of a unit that resembles the listener's most; nil when none does.
  public static func nearest(to listen: Listen, among units: [SocketUnit]) -> NearMiss? {
    let misses = units.flatMap { unit in
      unit.addresses.compactMap { address in
        Difference(listen, address.listen).map {
          NearMiss(wanted: listen, found: address.listen, unit: unit.name, difference: $0)
        }
      }
    }
    return misses.min { $0.difference.rawValue < $1.difference.rawValue }
  }

  /// Whether only the version of IP differs.
  public var isOfFamily: Bool { difference == .family }

  public var description: String {
    let choice = "write \(found.asWritten) in the guest file, or \(wanted.asWritten) in \(unit)"
    switch difference {
    case .kind: return "\(unit) has \(found.asWritten), which is a socket of another kind; \(choice)"
    case .family:
      return "\(unit) has \(found.asWritten), which is the same port of the other version of IP; \(choice)"
    case .interface: return "\(unit) has \(found.asWritten), which is another address; \(choice)"
    case .path: return "\(unit) has \(found.asWritten), but the paths must be the same; \(choice)"
    case .nameSpace: return "\(unit) has \(found.asWritten), but one is a path and one an abstract name; \(choice)"
    case .port: return "\(unit) has \(found.asWritten), which is another port; \(choice)"
    }
  }
}

extension NearMiss.Difference {
  init?(_ wanted: Listen, _ found: Listen) {
    if wanted.address == found.address {
      self = .kind
      return
    }
    guard wanted.kind == found.kind else { return nil }
    switch (wanted.address, found.address) {
    case (.ipv4(let one, let port), .ipv4(let other, let otherPort)):
      guard let difference = Self.ofIP(isSameHost: one == other, isSamePort: port == otherPort) else { return nil }
      self = difference
    case (.ipv6(let one, let port, _), .ipv6(let other, let otherPort, _)):
      guard let difference = Self.ofIP(isSameHost: one == other, isSamePort: port == otherPort) else { return nil }
      self = difference
    case (.ipv4(_, let port), .ipv6(_, let otherPort, _)), (.ipv6(_, let port, _), .ipv4(_, let otherPort)):
      guard port == otherPort else { return nil }
      self = .family
    case (.path(let one), .path(let other)):
      guard one.split(separator: "/").last == other.split(separator: "/").last else { return nil }
      self = .path
    case (.path(let path), .abstract(let name)), (.abstract(let name), .path(let path)):
      guard path == name || path == "/" + name else { return nil }
      self = .nameSpace
    case (.ipv4, _), (.ipv6, _), (.path, _), (.abstract, _):
      return nil
    }
  }

  private static func ofIP(isSameHost: Bool, isSamePort: Bool) -> NearMiss.Difference? {
    isSamePort ? .interface : isSameHost ? .port : nil
  }
}
