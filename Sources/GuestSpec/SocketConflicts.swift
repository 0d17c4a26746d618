import UnitSyntax

/// Finds listeners of one guest that cannot be bound together. The later of the two gets the diagnostic.
func conflicts(among listeners: [PlacedListener]) -> [Diagnostic] {
  var diagnostics: [Diagnostic] = []
  for (index, later) in listeners.enumerated() {
    guard let (earlier, conflict) = firstConflict(of: later, with: listeners[..<index]) else { continue }
    let other = earlier.file == later.file ? "line \(earlier.line)" : "\(earlier.file):\(earlier.line)"
    diagnostics.append(later.diagnostic(conflict, with: earlier, at: other))
  }
  return diagnostics
}

/// Finds listeners of different guests that cannot be bound together. The later of the two guests gets the diagnostic.
///
/// - Parameter guests: the listeners of each guest, in the order in which the guests are bound.
/// - Returns: the diagnostics by the name of the guest; a guest without a conflict has no entry.
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

/// Warns of listeners of a guest whose port one of its own `Port=` lines forwards past them.
func bypassed(_ listeners: [PlacedListener], by ports: [ForwardedPort]) -> [Diagnostic] {
  listeners.compactMap { listener in
    let transport: ForwardedPort.TransportProtocol = listener.listen.kind == .datagram ? .udp : .tcp
    let port = ports.first { $0.transport == transport && $0.hostPort == Reach(listener)?.port }
    return port.map {
      let message =
        "Port=\($0) bypasses this socket while the guest runs, so clients do not keep the guest awake; remove one of them"
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

/// Why bind(2) may refuse the later of two listeners.
private enum Conflict {
  /// Both have the same address, perhaps in two spellings.
  case same
  /// One address is a wildcard that includes the other, which TCP refuses unless both have SO_REUSEPORT.
  case overlap
  /// As `overlap` where `net.ipv6.bindv6only` is off, which is the default.
  case overlapByDefault

  init?(_ one: PlacedListener, _ other: PlacedListener) {
    if one.listen == other.listen || Self.isSamePath(one.listen, other.listen) {
      self = .same
      return
    }
    // UDP sockets with SO_REUSEADDR may overlap, and every socket has that option here.
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

  /// Whether both have the same path: sockets of all kinds share the names of the file system.
  private static func isSamePath(_ one: Listen, _ other: Listen) -> Bool {
    guard case .path = one.address else { return false }
    return one.address == other.address
  }
}

/// The addresses for which an IP socket accepts connections.
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

  /// Whether this is a wildcard address that includes the address of `other`.
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
    case .same: return "\(place) listens on this address already; remove one of them"
    case .overlap, .overlapByDefault:
      let remedy = "remove one of them, or set BindIPv6Only=ipv6-only or ReusePort=yes where they fit"
      return "\(place) listens on \(other.listen.address), which conflicts with this address; \(remedy)"
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
