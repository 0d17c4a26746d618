func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

func isLetter(_ byte: UInt8) -> Bool {
  (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
}

/// Reads a number of decimal digits only. Unlike `Int(_:)`, it accepts no sign.
func decimal<Number: FixedWidthInteger>(_ text: some StringProtocol, as: Number.Type = Number.self) -> Number? {
  text.utf8.allSatisfy(isDigit) ? Number(String(text)) : nil
}

extension String {
  /// Splits the text at each separator; parts may be empty. The separator is compared as a byte, because a combining mark after it
  /// would make it part of another Character.
  func split(at separator: UInt8) -> [String] {
    utf8.split(separator: separator, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Splits the text at colons, of which `\:` is not one; `\\` is a backslash. systemd-nspawn(1) `--bind=` has the same rule.
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

  /// The text, cut at 80 bytes, for messages that quote what somebody wrote.
  var shortened: String { utf8.count <= 80 ? self : String(prefix(77)) + "…" }
}

/// Reads an absolute path, and removes `//`, `/./` and a `/` at the end.
func absolutePath(_ text: String) throws(WrongValue) -> String {
  guard text.utf8.first == UInt8(ascii: "/") else {
    throw WrongValue("\"\(text.shortened)\" is not an absolute path; begin it with '/'")
  }
  // The file cannot contain these characters, but an escape such as \n or the value of a specifier can produce them.
  if text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
    throw WrongValue("the path contains a control character")
  }
  if text.utf8.count > 4095 { throw WrongValue("longer than 4095 bytes, the limit for paths") }
  let parts = text.split(at: UInt8(ascii: "/")).filter { !$0.isEmpty && $0 != "." }
  if parts.contains("..") { throw WrongValue("\"\(text.shortened)\" contains '..'; write the path without it") }
  return "/" + parts.joined(separator: "/")
}

/// Whether a name follows the rules of hostnames: labels of letters, digits and dashes, separated by dots, at most 64 bytes.
func isHostname(_ name: String) -> Bool {
  if name.isEmpty || name.utf8.count > 64 { return false }
  return name.split(at: UInt8(ascii: ".")).allSatisfy { label in
    let dash = UInt8(ascii: "-")
    return !label.isEmpty && label.utf8.first != dash && label.utf8.last != dash
      && label.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == dash }
  }
}

/// systemd.syntax(7) "Boolean arguments".
func readBoolean(_ text: String) throws(WrongValue) -> Bool {
  guard let value = Bool(unitText: text) else { throw WrongValue("not a boolean; write yes or no") }
  return value
}

extension Bool {
  init?(unitText text: String) {
    switch text.lowercased() {
    case "1", "yes", "y", "true", "t", "on": self = true
    case "0", "no", "n", "false", "f", "off": self = false
    default: return nil
    }
  }
}

/// Words with the quoting of systemd.syntax(7).
func readWords(_ text: String, _ context: inout ValueContext) throws(WrongValue) -> [String] { try context.words(text) }
