import UnitSyntax

/// A `.socket` unit in a guest: the part that decides which passed sockets systemd in the guest uses.
public struct SocketUnit: Equatable, Sendable {
  /// A `Listen…=` line of the unit.
  public struct Address: Equatable, Sendable {
    /// The kind and the address of the socket.
    public var listen: Listen
    /// The file, with the name of the guest: `web:/etc/systemd/system/http.socket`.
    public var file: String
    /// The line, counted from 1.
    public var line: Int
  }

  /// The name with its suffix `.socket`.
  public var name: String
  /// The addresses in the order of the files.
  public var addresses: [Address] = []
  /// The listeners that Dormouse cannot pass, each as it is written (`ListenFIFO=/run/x`).
  var unpassable: [String] = []
  /// The settings that filter clients by eBPF programs on the unit's cgroup. A passed socket was made in another cgroup.
  var filters: [Entry] = []
  /// The options of the unit, without the addresses.
  public var options = SocketGroup()
  /// The keys of `[Socket]` that have a value.
  public var keys: Set<String> = []

  private static let listenKeys = Set(Listen.Kind.allCases.map(\.key))
  private static let otherListenKeys: Set<String> = [
    "ListenFIFO", "ListenSpecial", "ListenNetlink", "ListenMessageQueue", "ListenUSBFunction",
  ]

  /// Reads a unit as systemd in the guest does: all `[Socket]` sections form one, and invalid lines are ignored.
  ///
  /// - Parameters:
  ///   - name: the name with its instance and suffix.
  ///   - files: the unit file, followed by its drop-ins in order.
  public init(name: String, files: [UnitFile]) {
    self.name = name
    for section in files.flatMap(\.sections) where section.name == "Socket" {
      for entry in section.entries { read(entry) }
    }
    options.listen = []
  }

  /// The settings that systemd applies by eBPF programs on the unit's cgroup (systemd.resource-control(5)).
  private static let filterKeys: Set<String> = [
    "IPAddressAllow", "IPAddressDeny", "IPIngressFilterPath", "IPEgressFilterPath", "RestrictNetworkInterfaces",
  ]

  private mutating func read(_ entry: Entry) {
    if Self.filterKeys.contains(entry.key) {
      filters.removeAll { $0.key == entry.key && entry.value.isEmpty }
      if !entry.value.isEmpty { filters.append(entry) }
      return
    }
    let isListener = Self.listenKeys.contains(entry.key) || Self.otherListenKeys.contains(entry.key)
    if isListener, entry.value.isEmpty {
      addresses = []
      unpassable = []
      return
    }
    if Self.otherListenKeys.contains(entry.key) {
      unpassable.append("\(entry.key)=\(entry.value.shortened)")
      return
    }
    guard let setting = Settings.socket.first(where: { $0.key == entry.key }),
      let value = UnitName(name: name).expand(entry.value)
    else { return }
    if entry.value.isEmpty { keys.remove(entry.key) } else { keys.insert(entry.key) }
    var context = ValueContext(specifiers: nil, guestName: "")
    guard (try? setting.assign(value, &options, &context)) != nil, isListener, let listen = options.listen.popLast()
    else { return }
    addresses.append(Address(listen: listen, file: entry.file, line: entry.line))
  }
}
