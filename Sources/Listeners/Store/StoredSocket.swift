import GuestSpec

/// What the record in the service manager's store says about a socket.
package struct StoredSocket: Equatable {
  /// Which of the two sockets at one address it is; see `Listener`.
  package enum Role: String { case primary, standby }

  /// The name of the guest that it belongs to.
  package var guest: String
  package var role: Role
  /// The `Listen…=` line that asks for it, for a person who reads the record. The address that counts is the kernel's.
  var kind: Listen.Kind
  var address: String
  /// The inode of the socket. A descriptor of the same name with another inode is not this socket.
  var inode: UInt64
  /// What else the guest file asked for, by setting. The socket is of no use once the guest file asks for something else.
  var options: [String: String]
  /// Whether it is confined: it gives the guest no access to the host's network.
  var isConfined: Bool

  init(
    _ role: Role, _ socket: HeldSocket, listen: Listen, group: SocketGroup, guest: String, isConfined: Bool = false
  ) {
    self.isConfined = isConfined
    self.guest = guest
    self.role = role
    kind = listen.kind
    address = listen.address.description
    inode = socket.inode
    options = group.storedOptions
  }
}

// The keys of the record. One release writes them and another reads them, so no key may ever be renamed, nor a value be written in
// another way. `StoreRecordTests` has samples that no change may alter.
extension StoredSocket {
  private enum Key {
    static let address = "address"
    static let confined = "confined"
    static let guest = "guest"
    static let inode = "inode"
    static let kind = "kind"
    static let role = "role"
    static let option = "option."
  }

  /// - Returns: nil when a key is missing or has a value that this release does not know.
  init?(_ section: StoreSection) {
    let fields = section.fields
    guard let role = fields[Key.role].flatMap(Role.init),
      let kind = fields[Key.kind].flatMap(Listen.Kind.init(stored:)),
      let guest = fields[Key.guest], !guest.isEmpty, let address = fields[Key.address],
      let inode = fields[Key.inode].flatMap(StoredName.number)
    else { return nil }
    (self.role, self.kind, self.guest, self.address, self.inode) = (role, kind, guest, address, inode)
    isConfined = fields[Key.confined] == "yes"
    options = [:]
    for option in SocketGroup.options { options[option.name] = fields[Key.option + option.name] }
  }

  /// The section of the record. It keeps the keys of `earlier`, of the same socket, that this release does not know.
  func section(keeping earlier: StoreSection?) -> StoreSection {
    let known =
      [Key.address, Key.confined, Key.guest, Key.inode, Key.kind, Key.role]
      + SocketGroup.options.map { Key.option + $0.name }
    var fields = (earlier?.fields ?? [:]).filter { !known.contains($0.key) }
    fields[Key.address] = address
    fields[Key.confined] = isConfined ? "yes" : nil
    fields[Key.guest] = guest
    fields[Key.inode] = "\(inode)"
    fields[Key.kind] = kind.stored
    fields[Key.role] = role.rawValue
    for (name, value) in options { fields[Key.option + name] = value }
    return StoreSection(fields)
  }
}

extension Listen.Kind {
  fileprivate var stored: String {
    switch self {
    case .stream: "stream"
    case .datagram: "datagram"
    case .sequentialPacket: "sequential-packet"
    }
  }

  fileprivate init?(stored: String) {
    guard let kind = Self.allCases.first(where: { $0.stored == stored }) else { return nil }
    self = kind
  }
}

extension SocketGroup {
  /// An option of a `[Socket]` section, and how the record writes it.
  fileprivate struct Option: Sendable {
    /// Its name in the record: that of the setting. The name of a span says the unit.
    let name: String
    /// Its value in the record. Nil when it has its default value, and then it is left out: a later release may have more options.
    let value: @Sendable (SocketGroup) -> String?
  }

  fileprivate static let options = [
    Option(name: "Backlog") { $0.backlog == .max ? nil : "\($0.backlog)" },
    Option(name: "BindIPv6Only") { group in
      switch group.bindIPv6Only {
      case .default: nil
      case .both: "both"
      case .ipv6Only: "ipv6-only"
      }
    },
    Option(name: "DeferAcceptUSec") { $0.deferAccept.map(microseconds) },
    Option(name: "DirectoryMode") { $0.file.directoryMode == 0o755 ? nil : octal($0.file.directoryMode) },
    Option(name: "FreeBind") { $0.freeBind ? "yes" : nil },
    Option(name: "KeepAlive") { $0.keepAlive.isOn ? "yes" : nil },
    Option(name: "KeepAliveIntervalUSec") { $0.keepAlive.interval.map(microseconds) },
    Option(name: "KeepAliveProbes") { $0.keepAlive.probes.map { "\($0)" } },
    Option(name: "KeepAliveTimeUSec") { $0.keepAlive.time.map(microseconds) },
    Option(name: "NoDelay") { $0.noDelay ? "yes" : nil },
    Option(name: "ReceiveBuffer") { $0.receiveBuffer.map { "\($0)" } },
    Option(name: "RemoveOnStop") { $0.file.removeOnStop ? "yes" : nil },
    Option(name: "ReusePort") { $0.reusePort ? "yes" : nil },
    Option(name: "SendBuffer") { $0.sendBuffer.map { "\($0)" } },
    Option(name: "SocketGroup") { $0.file.group },
    Option(name: "SocketMode") { $0.file.mode == 0o666 ? nil : octal($0.file.mode) },
    Option(name: "SocketUser") { $0.file.user },
  ]

  /// What the section asks for, without the addresses and the name.
  var storedOptions: [String: String] {
    var options: [String: String] = [:]
    for option in Self.options { options[option.name] = option.value(self) }
    return options
  }

  private static func octal(_ mode: UInt16) -> String {
    let digits = String(mode, radix: 8)
    return String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
  }

  private static func microseconds(_ span: Duration) -> String {
    let (seconds, attoseconds) = span.components
    return "\(seconds.multipliedReportingOverflow(by: 1_000_000).partialValue &+ attoseconds / 1_000_000_000_000)"
  }
}
