import UnitSyntax

/// Which of a guest's listeners systemd in it will take, and where the guest file and the guest's enabled `.socket`
/// units disagree.
///
/// systemd as PID 1 takes a passed socket for the unit that has the same family, type and address; it closes what no
/// unit has, without a word, and never opens the rest of a unit that got only some of its addresses.
public struct SocketAgreement: Equatable, Sendable {
  /// A listener, and the unit in the guest that will take it.
  public struct Claim: Equatable, Sendable {
    /// As the guest file has it.
    public var listener: PlacedListener
    /// nil: systemd closes it.
    public var unit: String?
  }

  /// One for each listener, in their order.
  public var claims: [Claim] = []
  /// Each disagreement in words; all are warnings.
  public var disagreements: [Diagnostic] = []

  /// - Parameters:
  ///   - guest: with the options of its sockets.
  ///   - listeners: those of the guest with their lines, in the order of `guest.sockets`.
  ///   - units: the enabled `.socket` units.
  public init(guest: Guest, listeners: [PlacedListener], units: [SocketUnit]) {
    let groups = guest.sockets.flatMap { group in group.listen.map { _ in group } }
    for (index, listener) in listeners.enumerated() {
      let takers = units.filter { $0.address(for: listener.listen) != nil }
      claims.append(Claim(listener: listener, unit: takers.first?.name))
      if takers.isEmpty {
        disagreements.append(Self.unclaimed(listener, units))
      }
      for other in takers.dropFirst() {
        disagreements += Self.contested(listener, by: takers[0], and: other)
      }
      if let unit = takers.first, groups.indices.contains(index) {
        disagreements += Self.differing(listener, groups[index], unit)
      }
    }
    for unit in units { disagreements += Self.partial(unit, listeners) }
  }

  private static func unclaimed(_ listener: PlacedListener, _ units: [SocketUnit]) -> Diagnostic {
    let line = listener.listen.asWritten
    let start = "\(line): no enabled .socket unit in the guest has this address, so systemd there closes it unused"
    let remedy = NearMiss.nearest(to: listener.listen, among: units)?.description ?? "enable a unit with \(line) there"
    return Diagnostic(file: listener.file, line: listener.line, .warning, "\(start); \(remedy)")
  }

  private static func contested(
    _ listener: PlacedListener, by first: SocketUnit, and second: SocketUnit
  ) -> [Diagnostic] {
    guard let address = second.address(for: listener.listen) else { return [] }
    let message =
      "\(listener.listen.asWritten): \(first.name) has this address too, and chance decides which gets the socket"
    return [Diagnostic(file: address.file, line: address.line, .warning, "\(message); disable one of them")]
  }

  private static func partial(_ unit: SocketUnit, _ listeners: [PlacedListener]) -> [Diagnostic] {
    let missing = unit.addresses.filter { address in
      !listeners.contains { $0.listen.isTaken(as: address.listen) }
    }
    guard missing.count < unit.addresses.count, let place = unit.addresses.first else { return [] }
    let consequence = "\(unit.name) is passed its other addresses, and systemd then never opens this one"
    return missing.map {
      let message = "\($0.listen.asWritten): \(consequence); add it to [Socket] of the guest file"
      return Diagnostic(file: $0.file, line: $0.line, .warning, message)
    }
      + unit.unpassable.map {
        let message = "\($0): \(consequence); it cannot be passed, so give it a unit of its own"
        return Diagnostic(file: place.file, .warning, message)
      }
  }

  /// systemd sets no option on a socket that it was passed.
  private static func differing(_ listener: PlacedListener, _ group: SocketGroup, _ unit: SocketUnit) -> [Diagnostic] {
    let different = SocketOptionKeys.all.filter { option in
      unit.keys.contains(option.key) && option.concerns(listener.listen)
        && option.value(group) != option.value(unit.options)
    }
    if different.isEmpty { return [] }
    let keys = different.map { "\($0.key)=" }.joined(separator: " ")
    let message = "\(unit.name) says otherwise of \(keys), which has no effect on a passed socket; say it in [Socket]"
    return [Diagnostic(file: listener.file, line: listener.line, .warning, "\(listener.listen.asWritten): \(message)")]
  }
}

extension SocketUnit {
  func address(for listen: Listen) -> Address? { addresses.first { listen.isTaken(as: $0.listen) } }
}

extension Listen {
  /// `ListenStream=[::]:80`.
  var asWritten: String { "\(kind.key)=\(address)" }

  /// Whether systemd takes this socket for a unit's address; it does not look at the scope of an IPv6 address.
  func isTaken(as unit: Listen) -> Bool {
    if kind != unit.kind { return false }
    switch (address, unit.address) {
    case (.ipv6(let one, let port, _), .ipv6(let other, let otherPort, _)): return one == other && port == otherPort
    case (.ipv4, _), (.ipv6, _), (.path, _), (.abstract, _): return address == unit.address
    }
  }
}

/// The options of a socket that the kernel keeps with it, and so the only ones that a passed socket can have.
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
    Option(key: "KeepAlive") { "\($0.keepAlive)" },
    Option(key: "KeepAliveTimeSec") { "\($0.keepAliveTime, default: "")" },
    Option(key: "KeepAliveIntervalSec") { "\($0.keepAliveInterval, default: "")" },
    Option(key: "KeepAliveProbes") { "\($0.keepAliveProbes, default: "")" },
    Option(key: "NoDelay") { "\($0.noDelay)" },
    Option(key: "DeferAcceptSec") { "\($0.deferAccept, default: "")" },
    Option(key: "ReceiveBuffer") { "\($0.receiveBuffer, default: "")" },
    Option(key: "SendBuffer") { "\($0.sendBuffer, default: "")" },
    Option(key: "SocketMode", isOfPaths: true) { "\($0.socketMode)" },
    Option(key: "SocketUser", isOfPaths: true) { $0.socketUser ?? "" },
    Option(key: "SocketGroup", isOfPaths: true) { $0.socketGroup ?? "" },
  ]
}
