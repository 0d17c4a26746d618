/// The name of a unit, split as systemd.unit(5) describes for specifiers.
struct UnitName {
  let name: String

  /// The name without the suffix.
  private var stem: Substring { name.utf8.lastIndex(of: UInt8(ascii: ".")).map { name[..<$0] } ?? name[...] }
  private var at: String.Index? { stem.utf8.firstIndex(of: UInt8(ascii: "@")) }
  private var prefix: String { String(at.map { stem[..<$0] } ?? stem) }
  private var instance: String { at.map { String(stem[stem.utf8.index(after: $0)...]) } ?? "" }

  /// Replaces the specifiers whose values follow from the name or are the same in every system manager.
  ///
  /// - Returns: nil when the text contains an unknown specifier, or one that only the running guest can replace.
  func expand(_ text: String) -> String? {
    var result = String.UnicodeScalarView()
    var scalars = text.unicodeScalars.makeIterator()
    while let scalar = scalars.next() {
      guard scalar == "%", let letter = scalars.next() else {
        result.append(scalar)
        continue
      }
      guard let value = value(letter) else { return nil }
      result.append(contentsOf: value.unicodeScalars)
    }
    return String(result)
  }

  private func value(_ letter: Unicode.Scalar) -> String? {
    switch letter {
    case "%": return "%"
    case "n": return name
    case "N": return String(stem)
    case "p", "P": return letter == "P" && Self.isEscaped(prefix) ? nil : prefix
    case "i", "I": return letter == "I" && Self.isEscaped(instance) ? nil : instance
    case "T": return "/tmp"
    case "V": return "/var/tmp"
    case let letter where Specifiers.ofSystemManager[Character(letter)] != nil:
      return Specifiers.ofSystemManager[Character(letter)]
    // Only the running guest can replace these, or they are not specifiers, and systemd ignores the line.
    case "a"..."z", "A"..."Z", "0"..."9": return nil
    default: return "%" + String(Character(letter))
    }
  }

  /// Whether systemd-escape(1) --unescape would change the text.
  private static func isEscaped(_ text: String) -> Bool { text.contains("-") || text.contains("\\") }
}
