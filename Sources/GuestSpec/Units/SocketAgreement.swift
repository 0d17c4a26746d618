import UnitSyntax

/// Predicts which of a guest's listeners systemd in the guest will use, and finds disagreements between the guest file and the
/// enabled `.socket` units of the guest.
///
/// systemd as PID 1 gives a passed socket to the unit with the same family, type and address. It silently closes a socket that no
/// unit has. Of a unit that got only some of its addresses it never opens the others.
public struct SocketAgreement: Equatable, Sendable {
  /// A listener, and the unit in the guest that will use it.
  public struct Claim: Equatable, Sendable {
    /// The listener of the guest file.
    public var listener: PlacedListener
    /// The name of the unit; nil means that systemd closes the socket.
    public var unit: String?
    /// If no unit has the address, a unit's similar address that is probably meant.
    public var near: NearMiss?

    /// Why nobody will serve there; nil when a unit has the address.
    public var unserved: Unserved? { unit == nil ? .noUnit(listener.listen, near: near) : nil }
  }

  /// The claims in the order of the listeners.
  public var claims: [Claim] = []
  /// The disagreements; all of them are warnings.
  public var disagreements: [Diagnostic] = []

  /// Compares the guest's listeners with its socket units.
  ///
  /// - Parameters:
  ///   - guest: the guest, for the options of its sockets.
  ///   - listeners: the guest's listeners in the order of `guest.sockets`.
  ///   - units: the enabled `.socket` units of the guest.
  public init(guest: Guest, listeners: [PlacedListener], units: [SocketUnit]) {
    let groups = guest.sockets.flatMap { group in group.listen.map { _ in group } }
    for (index, listener) in listeners.enumerated() {
      let takers = units.filter { $0.address(for: listener.listen) != nil }
      let near = takers.isEmpty ? NearMiss.nearest(to: listener.listen, among: units) : nil
      let claim = Claim(listener: listener, unit: takers.first?.name, near: near)
      claims.append(claim)
      if let unserved = claim.unserved { disagreements.append(Self.unclaimed(listener, unserved)) }
      for other in takers.dropFirst() {
        disagreements += Self.contested(listener, by: takers[0], and: other)
      }
      if let unit = takers.first, groups.indices.contains(index) {
        disagreements += Self.differing(listener, groups[index], unit)
      }
    }
    for unit in units {
      disagreements += Self.partial(unit, listeners)
      if claims.contains(where: { $0.unit == unit.name }) { disagreements += unit.filters.map(Self.ineffective) }
    }
    // A socket that no unit takes may be misspelt in one of these units; that was reported above.
    if claims.contains(where: { $0.unit == nil }) { return }
    for unit in units { disagreements += Self.unbindable(unit, listeners, guest) }
  }

  private static func unclaimed(_ listener: PlacedListener, _ why: Unserved) -> Diagnostic {
    Diagnostic(file: listener.file, line: listener.line, .warning, "\(listener.listen.asWritten): \(why)")
  }

  private static func contested(
    _ listener: PlacedListener, by first: SocketUnit, and second: SocketUnit
  ) -> [Diagnostic] {
    guard let address = second.address(for: listener.listen) else { return [] }
    let message =
      "\(listener.listen.asWritten): \(first.name) has this address too, and it is undefined which of them gets the socket"
    return [Diagnostic(file: address.file, line: address.line, .warning, "\(message); disable one of them")]
  }

  private static func partial(_ unit: SocketUnit, _ listeners: [PlacedListener]) -> [Diagnostic] {
    let missing = unit.addresses.filter { address in
      !listeners.contains { $0.listen.isTaken(as: address.listen) }
    }
    guard missing.count < unit.addresses.count, let place = unit.addresses.first else { return [] }
    let consequence = "\(unit.name) gets sockets for its other addresses, so systemd never opens this one"
    return missing.map {
      let message = "\($0.listen.asWritten): \(consequence); add it to [Socket] of the guest file"
      return Diagnostic(file: $0.file, line: $0.line, .warning, message)
    }
      + unit.unpassable.map {
        let message = "\($0): \(consequence); move it to another unit, as it cannot be passed"
        return Diagnostic(file: place.file, .warning, message)
      }
  }

  /// Finds ports that systemd in the guest would bind itself and cannot: root of a user namespace has no capability in the host's network.
  private static func unbindable(_ unit: SocketUnit, _ listeners: [PlacedListener], _ guest: Guest) -> [Diagnostic] {
    let held = unit.addresses.contains { address in listeners.contains { $0.listen.isTaken(as: address.listen) } }
    guard !guest.network.isOfItsOwn, guest.exec.privateUsers != .no, !held else { return [] }
    return unit.addresses.filter { $0.listen.address.isBelow1024 }.map {
      let message =
        "\($0.listen.asWritten): root of a guest with a user namespace cannot bind a port below 1024 of the host's network"
      return Diagnostic(
        file: $0.file, line: $0.line, .warning, "\(message); add it to [Socket] of the guest file, or write Private=yes"
      )
    }
  }

  /// The kernel filters by the cgroup of the process that created the socket; for a passed socket that is on the host.
  private static func ineffective(_ filter: Entry) -> Diagnostic {
    let message = "\(filter.key)=\(filter.value.shortened) has no effect on a passed socket, so everybody can connect"
    let remedy = "write it in the unit of the host that makes the socket (dormouse@NAME.socket), or filter on the host"
    return Diagnostic(file: filter.file, line: filter.line, .warning, "\(message); \(remedy)")
  }

  /// Compares the options: systemd sets none on a socket that was passed to it.
  private static func differing(_ listener: PlacedListener, _ group: SocketGroup, _ unit: SocketUnit) -> [Diagnostic] {
    let different = SocketOptionKeys.all.filter { option in
      unit.keys.contains(option.key) && option.concerns(listener.listen)
        && option.value(group) != option.value(unit.options)
    }
    if different.isEmpty { return [] }
    let keys = different.map { "\($0.key)=" }.joined(separator: " ")
    let message = "\(keys) of \(unit.name) has no effect on a passed socket; set it in [Socket] of the guest file"
    return [Diagnostic(file: listener.file, line: listener.line, .warning, "\(listener.listen.asWritten): \(message)")]
  }
}

extension SocketUnit {
  func address(for listen: Listen) -> Address? { addresses.first { listen.isTaken(as: $0.listen) } }
}

extension Listen {
  /// `ListenStream=[::]:80`.
  public var asWritten: String { "\(kind.key)=\(address)" }

  /// Whether systemd regards this socket as that of a unit's address. It ignores the scope of an IPv6 address.
  public func isTaken(as unit: Listen) -> Bool {
    if kind != unit.kind { return false }
    switch (address, unit.address) {
    case (.ipv6(let one, let port, _), .ipv6(let other, let otherPort, _)): return one == other && port == otherPort
    case (.ipv4, _), (.ipv6, _), (.path, _), (.abstract, _): return address == unit.address
    }
  }
}

extension ListenAddress {
  /// Whether only the root of its network may bind it (the sysctl net.ipv4.ip_unprivileged_port_start).
  fileprivate var isBelow1024: Bool {
    switch self {
    case .ipv4(_, let port), .ipv6(_, let port, _): port < 1024
    case .path, .abstract: false
    }
  }
}

/// The options that the kernel stores with a socket. Only these can be compared, because a passed socket has no others.
private enum SocketOptionKeys {
  struct Option: Sendable {
    let key: String
    var isOfPaths = false
    let value: @Sendable (SocketGroup) -> String

    func concerns(_ listen: Listen) -> Bool {
      switch listen.address {
      case .path: isOfPaths || key == "Backlog" || key.hasSuffix("Buffer")
      case .abstract: key == "Backlog" || key.hasSuffix("Buffer")
      case .ipv4: !isOfPaths && key != "BindIPv6Only"
      case .ipv6: !isOfPaths
      }
    }
  }

  static let all: [Option] = [
    Option(key: "Backlog") { "\($0.backlog)" },
    Option(key: "BindIPv6Only") { $0.bindIPv6Only.rawValue },
    Option(key: "KeepAlive") { "\($0.keepAlive.isOn)" },
    Option(key: "KeepAliveTimeSec") { "\($0.keepAlive.time, default: "")" },
    Option(key: "KeepAliveIntervalSec") { "\($0.keepAlive.interval, default: "")" },
    Option(key: "KeepAliveProbes") { "\($0.keepAlive.probes, default: "")" },
    Option(key: "NoDelay") { "\($0.noDelay)" },
    Option(key: "DeferAcceptSec") { "\($0.deferAccept, default: "")" },
    Option(key: "ReceiveBuffer") { "\($0.receiveBuffer, default: "")" },
    Option(key: "SendBuffer") { "\($0.sendBuffer, default: "")" },
    Option(key: "SocketMode", isOfPaths: true) { "\($0.file.mode)" },
    Option(key: "SocketUser", isOfPaths: true) { $0.file.user ?? "" },
    Option(key: "SocketGroup", isOfPaths: true) { $0.file.group ?? "" },
  ]
}
