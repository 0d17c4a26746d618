func readInterface(_ text: String, _ context: inout ValueContext) throws(WrongValue) -> String {
  try interfaceName(context.expand(text))
}

/// A zone, as systemd-nspawn(1) `--network-zone=`. The bridge is named after it, and the length of its name is limited.
func readZone(_ text: String, _ context: inout ValueContext) throws(WrongValue) -> String {
  let name = try context.expand(text)
  guard isInterfaceName("vz-" + name) else {
    throw WrongValue("not a zone name; use at most 12 letters, digits, dashes and dots")
  }
  return name
}

/// `HOST` or `HOST:GUEST`, as systemd-nspawn(1) `--network-veth-extra=`.
func readVirtualEthernet(_ text: String, _ context: inout ValueContext) throws(WrongValue) -> InterfacePair {
  try interfacePair(context.expand(text), prefix: "")
}

/// Words of `HOST` or `HOST:GUEST`. The default name in the guest is the host's after `prefix`. It may be too long, and is shortened
/// when the interface is created.
func readInterfaces(_ text: String, _ context: inout ValueContext, prefix: String) throws(WrongValue) -> [InterfacePair]
{
  var pairs: [InterfacePair] = []
  for word in try context.words(text) { pairs.append(try interfacePair(word, prefix: prefix)) }
  return pairs
}

/// `[tcp:|udp:]HOST[:GUEST]`, as systemd-nspawn(1) `--port=`.
func readPort(_ text: String, _ context: inout ValueContext) throws(WrongValue) -> ForwardedPort {
  var parts = try context.expand(text).split(at: UInt8(ascii: ":"))
  let named = parts.first.flatMap { ForwardedPort.TransportProtocol(rawValue: $0) }
  if named != nil { parts.removeFirst() }
  let ports = parts.compactMap { decimal($0, as: UInt16.self) }.filter { $0 > 0 }
  guard (1...2).contains(parts.count), ports.count == parts.count else {
    throw WrongValue(
      "not a port; write HOST, HOST:GUEST, tcp:HOST:GUEST or udp:HOST:GUEST with ports from 1 to 65535")
  }
  return ForwardedPort(named ?? .tcp, host: ports[0], guest: ports[ports.count - 1])
}

private func interfacePair(_ text: String, prefix: String) throws(WrongValue) -> InterfacePair {
  let parts = text.split(at: UInt8(ascii: ":"))
  guard parts.count <= 2 else {
    throw WrongValue("\"\(text.shortened)\" has too many ':'; write HOST or HOST:GUEST")
  }
  let host = try interfaceName(parts[0])
  return InterfacePair(host: host, guest: parts.count > 1 ? try interfaceName(parts[1]) : prefix + host)
}

private func interfaceName(_ name: String) throws(WrongValue) -> String {
  guard isInterfaceName(name) else {
    throw WrongValue(
      "\"\(name.shortened)\" is not an interface name; use 1 to 15 characters other than '/', ':' and '%'")
  }
  return name
}

/// Whether the kernel accepts a name for an interface (dev_valid_name) and it is unambiguous. A `%` would be a pattern, and a number
/// an index; `all` and `default` are directories of /proc/sys/net/ipv4/conf that belong to no interface.
func isInterfaceName(_ name: String) -> Bool {
  let forbidden = Array("/:%".utf8)
  return (1...15).contains(name.utf8.count) && ![".", "..", "all", "default"].contains(name)
    && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !forbidden.contains($0) }
    && !name.utf8.allSatisfy(isDigit)
}
