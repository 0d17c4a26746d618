/// A unit's name taken apart, as systemd.unit(5) does for its specifiers.
struct UnitName {
  let name: String

  /// Without the suffix.
  private var stem: Substring { name.utf8.lastIndex(of: UInt8(ascii: ".")).map { name[..<$0] } ?? name[...] }
  private var at: String.Index? { stem.utf8.firstIndex(of: UInt8(ascii: "@")) }
  private var prefix: String { String(at.map { stem[..<$0] } ?? stem) }
  private var instance: String { at.map { String(stem[stem.utf8.index(after: $0)...]) } ?? "" }

  /// Replaces what the name and the conventions of a system manager tell.
  ///
  /// - Returns: nil when there is a specifier in it that only the running guest knows, or none that anybody does.
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
    // What only the running guest knows, and what is no specifier and makes systemd leave the line out.
    case "a"..."z", "A"..."Z", "0"..."9": return nil
    default: return "%" + String(Character(letter))
    }
  }

  /// Whether systemd-escape(1) would change it back into something else.
  private static func isEscaped(_ text: String) -> Bool { text.contains("-") || text.contains("\\") }
}
