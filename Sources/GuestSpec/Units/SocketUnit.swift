import UnitSyntax

/// A `.socket` unit inside a guest, as far as it decides which passed sockets systemd there takes.
public struct SocketUnit: Equatable, Sendable {
  /// One `Listen…=` of the unit.
  public struct Address: Equatable, Sendable {
    /// What it listens to.
    public var listen: Listen
    /// Names the guest too: `web:/etc/systemd/system/http.socket`.
    public var file: String
    /// Counted from 1.
    public var line: Int
  }

  /// With its `.socket`.
  public var name: String
  /// The addresses in the order written.
  public var addresses: [Address] = []
  /// Listeners that nobody can pass (`ListenFIFO=/run/x`), each as it is written.
  var unpassable: [String] = []
  /// The unit's options; the addresses are not repeated in it.
  public var options = SocketGroup()
  /// The keys of `[Socket]` that were given a value.
  public var keys: Set<String> = []

  private static let listenKeys = Set(Listen.Kind.allCases.map(\.key))
  private static let otherListenKeys: Set<String> = [
    "ListenFIFO", "ListenSpecial", "ListenNetlink", "ListenMessageQueue", "ListenUSBFunction",
  ]

  /// Reads a unit as systemd in the guest will: all its `[Socket]` sections are one, and a line that is wrong is left
  /// out.
  ///
  /// - Parameters:
  ///   - name: with instance and suffix.
  ///   - files: the unit's file, then its drop-ins in order.
  public init(name: String, files: [UnitFile]) {
    self.name = name
    for section in files.flatMap(\.sections) where section.name == "Socket" {
      for entry in section.entries { read(entry) }
    }
    options.listen = []
  }

  private mutating func read(_ entry: Entry) {
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
