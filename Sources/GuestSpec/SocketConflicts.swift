import UnitSyntax

/// Finds listeners of one guest that cannot be bound together. The later of the two gets the diagnostic.
func conflicts(among listeners: [PlacedListener]) -> [Diagnostic] {
  var diagnostics: [Diagnostic] = []
  var seen = SeenListeners()
  for later in listeners {
    if let (other, conflict) = seen.conflict(with: later) {
      let earlier = other.listener
      let place = earlier.file == later.file ? "line \(earlier.line)" : "\(earlier.file):\(earlier.line)"
      diagnostics.append(later.diagnostic(conflict, with: earlier, at: place))
    }
    seen.add(later, of: "")
  }
  return diagnostics
}

/// Finds listeners of different guests that cannot be bound together. The later of the two guests gets the diagnostic.
///
/// - Parameter guests: the listeners of each guest, in the order in which the guests are bound.
/// - Returns: the diagnostics by the name of the guest; a guest without a conflict has no entry.
public func conflicts(between guests: [(name: String, listeners: [PlacedListener])]) -> [String: [Diagnostic]] {
  var found: [String: [Diagnostic]] = [:]
  var seen = SeenListeners()
  for guest in guests {
    for listener in guest.listeners {
      guard let (other, conflict) = seen.conflict(with: listener) else { continue }
      let place = "the guest \(other.guest) (\(other.listener.file):\(other.listener.line))"
      found[guest.name, default: []].append(listener.diagnostic(conflict, with: other.listener, at: place))
    }
    for listener in guest.listeners { seen.add(listener, of: guest.name) }
  }
  return found
}

/// Warns of listeners of a guest whose port one of its own `Port=` lines forwards past them.
func bypassed(_ listeners: [PlacedListener], by ports: [ForwardedPort]) -> [Diagnostic] {
  let byPort = Dictionary(grouping: ports, by: \.hostPort)
  return listeners.compactMap { listener in
    let transport: ForwardedPort.TransportProtocol = listener.listen.kind == .datagram ? .udp : .tcp
    let port = Reach(listener).flatMap { byPort[$0.port] }?.first { $0.transport == transport }
    return port.map {
      let message =
        "Port=\($0) bypasses this socket while the guest runs, so clients do not keep the guest awake; remove one of them"
      return listener.diagnostic(.warning, message)
    }
  }
}

/// The listeners seen so far, indexed by what can conflict: among thousands, a new one is compared with few.
private struct SeenListeners {
  struct Seen {
    let listener: PlacedListener
    /// The name of its guest.
    let guest: String
    let reach: Reach?
  }

  private var same: [Listen: Seen] = [:]
  private var paths: [ListenAddress: Seen] = [:]
  /// The TCP listeners by their ports, and those of them at a wildcard address.
  private var streams: [UInt16: [Seen]] = [:]
  private var wildcards: [UInt16: [Seen]] = [:]

  mutating func add(_ listener: PlacedListener, of guest: String) {
    let reach = listener.listen.kind == .stream ? Reach(listener) : nil
    let seen = Seen(listener: listener, guest: guest, reach: reach)
    if same[listener.listen] == nil { same[listener.listen] = seen }
    if case .path = listener.listen.address, paths[listener.listen.address] == nil {
      paths[listener.listen.address] = seen
    }
    guard let reach else { return }
    streams[reach.port, default: []].append(seen)
    if reach.isWildcard { wildcards[reach.port, default: []].append(seen) }
  }

  /// Finds the listener at the same address, or else the first one that overlaps it.
  func conflict(with later: PlacedListener) -> (Seen, Conflict)? {
    // Only one socket can be bound to a path, whatever its type.
    if let seen = same[later.listen] ?? paths[later.listen.address] { return (seen, .same) }
    // The kernel lets UDP sockets with SO_REUSEADDR overlap, and dormoused sets that on every socket.
    guard later.listen.kind == .stream, let reach = Reach(later) else { return nil }
    // Of two addresses that overlap, one is a wildcard.
    for seen in (reach.isWildcard ? streams : wildcards)[reach.port] ?? [] {
      if later.reusePort && seen.listener.reusePort { continue }
      if let conflict = seen.reach.flatMap({ Conflict(reach, $0) }) { return (seen, conflict) }
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

  /// Compares two TCP listeners of one port.
  init?(_ one: Reach, _ other: Reach) {
    switch (one.includes(other), other.includes(one)) {
    case (.yes, _), (_, .yes): self = .overlap
    case (.byDefault, _), (_, .byDefault): self = .overlapByDefault
    case (.no, .no): return nil
    }
  }
}

/// The addresses for which an IP socket accepts connections.
private struct Reach {
  enum Answer { case yes, byDefault, no }

  let port: UInt16
  let isWildcard: Bool
  private let bytes: [UInt8]
  private let bindIPv6Only: BindIPv6Only

  init?(_ listener: PlacedListener) {
    bindIPv6Only = listener.bindIPv6Only
    switch listener.listen.address {
    case .ipv4(let address, let port), .ipv6(let address, let port, _): (bytes, self.port) = (address, port)
    case .path, .abstract: return nil
    }
    isWildcard = bytes.allSatisfy { $0 == 0 }
  }

  /// Whether this is a wildcard address that includes the address of `other`.
  func includes(_ other: Reach) -> Answer {
    guard isWildcard else { return .no }
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
