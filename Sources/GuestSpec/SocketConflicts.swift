import UnitSyntax

/// Listeners of one guest that cannot be bound together; each is an error at the later of the two lines.
func conflicts(among listeners: [PlacedListener]) -> [Diagnostic] {
  var diagnostics: [Diagnostic] = []
  for (index, later) in listeners.enumerated() {
    guard let (earlier, conflict) = firstConflict(of: later, with: listeners[..<index]) else { continue }
    let other = earlier.file == later.file ? "line \(earlier.line)" : "\(earlier.file):\(earlier.line)"
    diagnostics.append(later.diagnostic(conflict, with: earlier, at: other))
  }
  return diagnostics
}

/// Listeners of different guests that cannot be bound together, as diagnostics of the later guest.
///
/// - Parameter guests: what each guest listens on, in the order in which they get their addresses.
/// - Returns: by guest; a guest without a conflict is missing.
public func conflicts(between guests: [(name: String, listeners: [PlacedListener])]) -> [String: [Diagnostic]] {
  var found: [String: [Diagnostic]] = [:]
  var earlier: [(name: String, listener: PlacedListener)] = []
  for guest in guests {
    for listener in guest.listeners {
      guard let (other, conflict) = firstConflict(of: listener, with: earlier.map(\.listener)[...]) else { continue }
      let owner = earlier.first { $0.listener == other }?.name ?? ""
      let place = "the guest \(owner) (\(other.file):\(other.line))"
      found[guest.name, default: []].append(listener.diagnostic(conflict, with: other, at: place))
    }
    earlier += guest.listeners.map { (guest.name, $0) }
  }
  return found
}

/// Listeners of a guest past which one of its own `Port=` leads: a warning at the listener's line.
func bypassed(_ listeners: [PlacedListener], by ports: [ForwardedPort]) -> [Diagnostic] {
  listeners.compactMap { listener in
    let transport: ForwardedPort.TransportProtocol = listener.listen.kind == .datagram ? .udp : .tcp
    let port = ports.first { $0.transport == transport && $0.hostPort == Reach(listener)?.port }
    return port.map {
      let message =
        "Port=\($0) bypasses this socket as soon as the guest runs: clients do not keep it awake then; "
        + "take one of them out"
      return listener.diagnostic(.warning, message)
    }
  }
}

private func firstConflict(
  of later: PlacedListener, with others: ArraySlice<PlacedListener>
) -> (PlacedListener, Conflict)? {
  for earlier in others {
    if let conflict = Conflict(later, earlier) { return (earlier, conflict) }
  }
  return nil
}

/// How two listeners are in each other's way at bind(2).
private enum Conflict {
  /// One address, however it is written.
  case same
  /// One address includes the other, which TCP refuses without SO_REUSEPORT on both.
  case overlap
  /// As `overlap`, if `net.ipv6.bindv6only` is off as it usually is.
  case overlapByDefault

  init?(_ one: PlacedListener, _ other: PlacedListener) {
    if one.listen == other.listen || Self.isSamePath(one.listen, other.listen) {
      self = .same
      return
    }
    // UDP sockets with SO_REUSEADDR, which is set on all, may overlap.
    guard one.listen.kind == .stream, other.listen.kind == .stream, !(one.reusePort && other.reusePort) else {
      return nil
    }
    guard let first = Reach(one), let second = Reach(other), first.port == second.port else { return nil }
    switch (first.includes(second), second.includes(first)) {
    case (.yes, _), (_, .yes): self = .overlap
    case (.byDefault, _), (_, .byDefault): self = .overlapByDefault
    case (.no, .no): return nil
    }
  }

  /// Sockets of every kind share the file system's names.
  private static func isSamePath(_ one: Listen, _ other: Listen) -> Bool {
    guard case .path = one.address else { return false }
    return one.address == other.address
  }
}

/// The addresses that a TCP listener takes connections for.
private struct Reach {
  enum Answer { case yes, byDefault, no }

  let port: UInt16
  private let bytes: [UInt8]
  private let scope: String?
  private let bindIPv6Only: BindIPv6Only

  init?(_ listener: PlacedListener) {
    bindIPv6Only = listener.bindIPv6Only
    switch listener.listen.address {
    case .ipv4(let address, let port): (bytes, self.port, scope) = (address, port, nil)
    case .ipv6(let address, let port, let scope): (bytes, self.port, self.scope) = (address, port, scope)
    case .path, .abstract: return nil
    }
  }

  /// Whether this is a wildcard that `other` falls under.
  func includes(_ other: Reach) -> Answer {
    guard bytes.allSatisfy({ $0 == 0 }) else { return .no }
    if bytes.count == other.bytes.count { return .yes }
    if bytes.count == 4 { return .no }
    switch bindIPv6Only {
    case .both: return .yes
    case .default: return .byDefault
    case .ipv6Only: return .no
    }
  }
}

extension PlacedListener {
  private func message(_ conflict: Conflict, with other: PlacedListener, at place: String) -> String {
    switch conflict {
    case .same: return "\(place) listens on this address already; take one of them out"
    case .overlap, .overlapByDefault:
      let remedy = "take one out, or set BindIPv6Only=ipv6-only or ReusePort=yes where they fit"
      return "\(place) listens on \(other.listen.address), which is in the way; \(remedy)"
    }
  }

  fileprivate func diagnostic(_ severity: Diagnostic.Severity, _ message: String) -> Diagnostic {
    Diagnostic(file: file, line: line, severity, "\(listen.kind.key)=\(listen.address): \(message)")
  }

  fileprivate func diagnostic(_ conflict: Conflict, with other: PlacedListener, at place: String) -> Diagnostic {
    let severity: Diagnostic.Severity
    switch conflict {
    case .same, .overlap: severity = .error
    case .overlapByDefault: severity = .warning
    }
    return diagnostic(severity, message(conflict, with: other, at: place))
  }
}
