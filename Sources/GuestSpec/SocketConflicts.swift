import UnitSyntax

/// Finds listeners of one guest that cannot be bound together. The later of the two gets the diagnostic.
func conflicts(among listeners: [PlacedListener]) -> [Diagnostic] {
  var diagnostics: [Diagnostic] = []
  var earlierOnes = EarlierListeners()
  for later in listeners {
    defer { earlierOnes.add(later, of: "") }
    guard let (_, earlier, conflict) = earlierOnes.firstConflict(of: later) else { continue }
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
  var earlier = EarlierListeners()
  for guest in guests {
    for listener in guest.listeners {
      guard let (owner, other, conflict) = earlier.firstConflict(of: listener) else { continue }
      let place = "the guest \(owner) (\(other.file):\(other.line))"
      found[guest.name, default: []].append(listener.diagnostic(conflict, with: other, at: place))
    }
    for listener in guest.listeners { earlier.add(listener, of: guest.name) }
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

/// The listeners that come before others, by what two that conflict have in common: thousands of guests are compared quickly.
private struct EarlierListeners {
  /// Listeners that conflict have the same port, path or name.
  private enum Key: Hashable {
    case port(UInt16)
    case name(String)

    init(_ listener: PlacedListener) {
      switch listener.listen.address {
      case .ipv4(_, let port), .ipv6(_, let port, _): self = .port(port)
      case .path(let name), .abstract(let name): self = .name(name)
      }
    }
  }

  private var byKey: [Key: [(owner: String, listener: PlacedListener)]] = [:]

  mutating func add(_ listener: PlacedListener, of owner: String) {
    byKey[Key(listener), default: []].append((owner, listener))
  }

  /// The first of them that conflicts with `later`.
  func firstConflict(of later: PlacedListener) -> (owner: String, earlier: PlacedListener, conflict: Conflict)? {
    for (owner, earlier) in byKey[Key(later)] ?? [] {
      if let conflict = Conflict(later, earlier) { return (owner, earlier, conflict) }
    }
    return nil
  }
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
