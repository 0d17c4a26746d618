/// Reads and writes IP addresses as inet_pton(3) and inet_ntop(3) do.
enum IPAddressText {
  /// Reads four bytes from `192.0.2.1`: exactly four decimal numbers without leading zeros.
  static func ipv4(_ text: String) -> [UInt8]? {
    let parts = text.split(at: UInt8(ascii: "."))
    guard parts.count == 4 else { return nil }
    var bytes: [UInt8] = []
    for part in parts {
      guard (1...3).contains(part.utf8.count), part == "0" || part.utf8.first != UInt8(ascii: "0"),
        let byte = decimal(part, as: UInt8.self)
      else { return nil }
      bytes.append(byte)
    }
    return bytes
  }

  /// Reads sixteen bytes from `2001:db8::1` or `::ffff:192.0.2.1`.
  static func ipv6(_ text: String) -> [UInt8]? {
    var groups = text.split(at: UInt8(ascii: ":"))
    guard (3...9).contains(groups.count), let last = groups.last else { return nil }
    if last.utf8.contains(UInt8(ascii: ".")) {
      guard let tail = ipv4(last) else { return nil }
      groups.removeLast()
      groups.append(String(UInt16(tail[0]) << 8 | UInt16(tail[1]), radix: 16))
      groups.append(String(UInt16(tail[2]) << 8 | UInt16(tail[3]), radix: 16))
    }
    // An empty group stands for "::". A "::" at either end of the text produces two empty groups.
    if groups.first == "" {
      guard groups.count > 2, groups[1] == "" else { return nil }
      groups.removeFirst()
    }
    if groups.last == "" {
      guard groups.count > 1, groups[groups.count - 2] == "" else { return nil }
      groups.removeLast()
    }
    let gaps = groups.filter(\.isEmpty).count
    guard gaps == 1 ? groups.count <= 8 : gaps == 0 && groups.count == 8 else { return nil }
    var bytes: [UInt8] = []
    for group in groups {
      if group.isEmpty {
        bytes += [UInt8](repeating: 0, count: 2 * (9 - groups.count))
        continue
      }
      guard group.utf8.count <= 4, group.utf8.first != UInt8(ascii: "+"), let value = UInt16(group, radix: 16) else {
        return nil
      }
      bytes += [UInt8(value >> 8), UInt8(value & 0xFF)]
    }
    return bytes
  }

  static func text(ipv4 bytes: [UInt8]) -> String { bytes.map { String($0) }.joined(separator: ".") }

  /// Writes an address as in RFC 5952, IPv4-mapped ones in dotted form.
  static func text(ipv6 bytes: [UInt8]) -> String {
    guard bytes.count == 16 else { return "?" }
    if bytes.prefix(10).allSatisfy({ $0 == 0 }), bytes[10] == 0xFF, bytes[11] == 0xFF {
      return "::ffff:" + text(ipv4: Array(bytes[12...]))
    }
    let groups = stride(from: 0, to: 16, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
    var longest = 0..<0
    var start = 0
    while start < 8 {
      let end = groups[start...].firstIndex { $0 != 0 } ?? 8
      if end - start > max(1, longest.count) { longest = start..<end }
      start = end + 1
    }
    func hex(_ range: Range<Int>) -> String { groups[range].map { String($0, radix: 16) }.joined(separator: ":") }
    return longest.isEmpty ? hex(0..<8) : hex(0..<longest.lowerBound) + "::" + hex(longest.upperBound..<8)
  }
}
