func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

func isLetter(_ byte: UInt8) -> Bool {
  (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
}

/// A number in decimal digits and nothing else: no sign, no space, unlike `Int(_:)`.
func decimal<Number: FixedWidthInteger>(_ text: some StringProtocol, as: Number.Type = Number.self) -> Number? {
  text.utf8.allSatisfy(isDigit) ? Number(String(text)) : nil
}

extension String {
  /// The parts between `separator` characters, found as bytes: a combining mark after a separator does not hide it. A
  /// part may be empty.
  func split(at separator: UInt8) -> [String] {
    utf8.split(separator: separator, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Parts between colons; `\:` is a colon of a part and `\\` a backslash, as in systemd-nspawn(1) `--bind=`.
  func splitAtColons() -> [String] {
    var parts: [[UInt8]] = [[]]
    var isEscaped = false
    for byte in utf8 {
      if !isEscaped, byte == UInt8(ascii: "\\") {
        isEscaped = true
      } else if !isEscaped, byte == UInt8(ascii: ":") {
        parts.append([])
      } else {
        parts[parts.count - 1].append(byte)
        isEscaped = false
      }
    }
    return parts.map { String(decoding: $0, as: UTF8.self) }
  }

  /// With a limit, for messages that quote what somebody wrote.
  var shortened: String { utf8.count <= 80 ? self : String(prefix(77)) + "…" }
}

/// An absolute path without `//`, `/./` and a `/` at its end.
func absolutePath(_ text: String) throws(WrongValue) -> String {
  guard text.utf8.first == UInt8(ascii: "/") else {
    throw WrongValue("\"\(text.shortened)\" is not an absolute path; it must begin with '/'")
  }
  // An escape such as \n or a specifier's value could bring in what no line of a file can hold.
  if text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) { throw WrongValue("a control character in a path") }
  if text.utf8.count > 4095 { throw WrongValue("longer than the 4095 bytes a path may have") }
  let parts = text.split(at: UInt8(ascii: "/")).filter { !$0.isEmpty && $0 != "." }
  if parts.contains("..") { throw WrongValue("\"\(text.shortened)\" has '..' in it; write the path without") }
  return "/" + parts.joined(separator: "/")
}

/// Hostname rules as for a machine's name: labels of letters, digits and dashes, joined by dots, at most 64 bytes.
func isHostname(_ name: String) -> Bool {
  if name.isEmpty || name.utf8.count > 64 { return false }
  return name.split(at: UInt8(ascii: ".")).allSatisfy { label in
    let dash = UInt8(ascii: "-")
    return !label.isEmpty && label.utf8.first != dash && label.utf8.last != dash
      && label.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == dash }
  }
}
