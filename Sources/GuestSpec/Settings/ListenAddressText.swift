extension ListenAddress: CustomStringConvertible {
  /// The address in the notation of systemd.socket(5): `0.0.0.0:80`, `[::]:80`, `[fe80::1]:80%eth0`, `/run/x.sock`, `@abstract`.
  public var description: String {
    switch self {
    case .ipv4(let address, let port): "\(IPAddressText.text(ipv4: address)):\(port)"
    case .ipv6(let address, let port, let scope):
      "[\(IPAddressText.text(ipv6: address))]:\(port)" + (scope.map { "%" + $0 } ?? "")
    case .path(let path): path
    case .abstract(let name): "@" + name
    }
  }
}

extension Listen.Kind: CustomStringConvertible {
  /// The kind as `systemctl status` prints it.
  public var description: String {
    switch self {
    case .stream: "Stream"
    case .datagram: "Datagram"
    case .sequentialPacket: "SequentialPacket"
    }
  }

  /// The name of the setting that asks for this kind.
  var key: String { "Listen" + description }
}

extension Listen: CustomStringConvertible {
  /// `[::]:80 (Stream)`, as `systemctl status` prints it.
  public var description: String { "\(address) (\(kind))" }
}

extension Listen {
  /// Reads the value of a `Listen…=` setting, whose specifiers are already replaced.
  init(_ kind: Kind, unitText text: String) throws(WrongValue) {
    let address = try ListenAddress(unitText: text)
    switch address {
    case .ipv4, .ipv6:
      if kind == .sequentialPacket {
        throw WrongValue("IP has no sequential packets; use ListenStream=, a path or an @name")
      }
    case .path, .abstract: break
    }
    self.init(kind, address)
  }
}

extension ListenAddress {
  /// The number of bytes that fit into `sun_path` with a NUL at the end.
  private static let nameLimit = 107

  init(unitText text: String) throws(WrongValue) {
    switch text.utf8.first {
    case UInt8(ascii: "/"):
      let path = try absolutePath(text)
      if path == "/" { throw WrongValue("\"/\" cannot be a socket; write the path of a file") }
      try Self.checkLength(path)
      self = .path(path)
    case UInt8(ascii: "@"):
      let name = String(decoding: text.utf8.dropFirst(), as: UTF8.self)
      if name.isEmpty { throw WrongValue("the abstract name after '@' is missing") }
      try Self.checkLength(name)
      self = .abstract(name)
    case UInt8(ascii: "["):
      self = try Self.bracketed(text)
    default:
      self = try Self.plain(text)
    }
  }

  private static func checkLength(_ name: String) throws(WrongValue) {
    if name.utf8.count > nameLimit {
      throw WrongValue("longer than \(nameLimit) bytes, the limit for the name of a socket; choose a shorter name")
    }
  }

  private static func port(_ text: String) throws(WrongValue) -> UInt16 {
    // systemd reads a port with a leading 0 as octal, or refuses it.
    if text.utf8.count > 1, text.utf8.first == UInt8(ascii: "0") {
      throw WrongValue("\"\(text.shortened)\" begins with 0; write the port without it")
    }
    guard let port = decimal(text, as: UInt16.self), port > 0 else {
      throw WrongValue("\"\(text.shortened)\" is not a port; write a number from 1 to 65535")
    }
    return port
  }

  /// `[ADDRESS]:PORT%SCOPE`.
  private static func bracketed(_ text: String) throws(WrongValue) -> ListenAddress {
    let form = "write [ADDRESS]:PORT, or [ADDRESS]:PORT%INTERFACE"
    guard let close = text.utf8.firstIndex(of: UInt8(ascii: "]")) else {
      throw WrongValue("the ']' is missing; \(form)")
    }
    let inner = String(text[text.utf8.index(after: text.startIndex)..<close])
    if inner.utf8.contains(UInt8(ascii: "%")) { throw WrongValue("the interface comes after the port; \(form)") }
    guard let address = IPAddressText.ipv6(inner) else {
      throw WrongValue("[\(inner)] is not an IPv6 address; \(form)")
    }
    let rest = String(text[text.utf8.index(after: close)...])
    guard rest.utf8.first == UInt8(ascii: ":") else { throw WrongValue("the port is missing; \(form)") }
    let tail = String(decoding: rest.utf8.dropFirst(), as: UTF8.self)
    guard let percent = tail.utf8.firstIndex(of: UInt8(ascii: "%")) else {
      return .ipv6(address: address, port: try port(tail), scope: nil)
    }
    let scope = String(tail[tail.utf8.index(after: percent)...])
    // IFNAMSIZ is 15 bytes and a NUL; a number is the index of an interface.
    guard (1...15).contains(scope.utf8.count),
      scope.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "%") })
    else { throw WrongValue("\"\(scope.shortened)\" is not the name or number of an interface") }
    return .ipv6(address: address, port: try port(String(tail[..<percent])), scope: scope)
  }

  /// `PORT`, which systemd reads as `[::]:PORT`, or `ADDRESS:PORT`.
  private static func plain(_ text: String) throws(WrongValue) -> ListenAddress {
    if text.utf8.starts(with: "vsock".utf8) {
      throw WrongValue("AF_VSOCK is not supported by this version of Dormouse; write a port, a path or an @name")
    }
    let parts = text.split(at: UInt8(ascii: ":"))
    switch parts.count {
    case 1:
      guard text.utf8.allSatisfy(isDigit) else {
        throw WrongValue("not an address; write PORT, ADDRESS:PORT, [ADDRESS]:PORT, /PATH or @NAME")
      }
      return .ipv6(address: [UInt8](repeating: 0, count: 16), port: try port(text), scope: nil)
    case 2:
      guard let address = IPAddressText.ipv4(parts[0]) else {
        throw WrongValue(
          "\"\(parts[0].shortened)\" is not an IPv4 address; write four numbers, as names are not resolved")
      }
      return .ipv4(address: address, port: try port(parts[1]))
    default:
      throw WrongValue("not an address; put an IPv6 address in brackets: [::1]:80")
    }
  }
}

func readListen(_ text: String, _ context: inout ValueContext, _ kind: Listen.Kind) throws(WrongValue) -> Listen {
  // systemd.socket(5) writes an interface as %eth0, in which %e is not a specifier; %%eth0 means the same.
  guard text.utf8.first == UInt8(ascii: "["), let close = text.utf8.firstIndex(of: UInt8(ascii: "]")),
    let percent = text.utf8[close...].firstIndex(of: UInt8(ascii: "%"))
  else { return try Listen(kind, unitText: context.expand(text)) }
  let scope = text.utf8[percent...].drop { $0 == UInt8(ascii: "%") }
  let address = try context.expand(String(text[..<percent]))
  return try Listen(kind, unitText: address + "%" + String(decoding: scope, as: UTF8.self))
}
