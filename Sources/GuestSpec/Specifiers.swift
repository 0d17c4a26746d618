/// The values of the `%` specifiers of systemd.unit(5) in guest files.
///
/// `%%`, `%n`, `%N` and `%p` (the guest's name), `%y` and `%Y` (the guest file and its directory) and the directories of a system
/// manager are known here. The values that depend on the host are in `host`.
public struct Specifiers: Equatable, Sendable {
  /// The absolute path of `NAME.guest`.
  public var fragmentPath: String
  /// The values that depend on the host, by letter: `a` architecture, `b` boot ID, `H` `l` `q` host name (full, short, pretty), `m`
  /// machine ID, `v` kernel release, `A` `B` `M` `o` `w` `W` fields of os-release(5), `T` `V` temporary directories. A letter that is
  /// missing here must not be used.
  public var host: [Character: String]

  public init(fragmentPath: String, host: [Character: String] = [:]) {
    self.fragmentPath = fragmentPath
    self.host = host
  }

  /// The specifiers that have the same value in every system manager: its directories and its user.
  static let ofSystemManager: [Character: String] = [
    "t": "/run", "S": "/var/lib", "C": "/var/cache", "L": "/var/log", "E": "/etc", "h": "/root", "u": "root",
    "g": "root", "U": "0", "G": "0",
  ]

  private static let hostLetters: Set<Character> = [
    "a", "b", "H", "l", "q", "m", "v", "A", "B", "M", "o", "w", "W", "T", "V",
  ]

  func expand(_ text: String, guestName: String) throws(WrongValue) -> String {
    var result = ""
    var scalars = text.unicodeScalars.makeIterator()
    while let scalar = scalars.next() {
      if scalar != "%" {
        result.unicodeScalars.append(scalar)
      } else if let letter = scalars.next() {
        // Appending one view of unicode scalars to another would copy the whole string.
        result += try value(Character(letter), guestName)
      } else {
        throw WrongValue("a single % at the end; write %% for a percent sign")
      }
    }
    return result
  }

  private func value(_ letter: Character, _ guestName: String) throws(WrongValue) -> String {
    switch letter {
    case "%": return "%"
    case "n", "N", "p": return guestName
    case "y": return fragmentPath
    case "Y": return directory
    default: break
    }
    if let value = Self.ofSystemManager[letter] { return value }
    if let value = host[letter] { return value }
    if Self.hostLetters.contains(letter) {
      throw WrongValue("%\(letter) is not known on this host; write the value itself")
    }
    throw WrongValue("%\(letter) is not a specifier; write %% for a percent sign")
  }

  private var directory: String {
    guard let slash = fragmentPath.utf8.lastIndex(of: UInt8(ascii: "/")) else { return fragmentPath }
    return slash == fragmentPath.startIndex ? "/" : String(fragmentPath[..<slash])
  }
}
