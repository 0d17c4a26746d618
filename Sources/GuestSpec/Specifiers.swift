/// What the `%` specifiers of systemd.unit(5) stand for in a guest's files.
///
/// `%%`, `%n` `%N` `%p` (the guest's name), `%y` `%Y` (the `.guest` file and its directory) and the directories of a
/// system manager are known here; what only the host knows comes in from outside.
public struct Specifiers: Equatable, Sendable {
  /// The absolute path of `NAME.guest`.
  public var fragmentPath: String
  /// By letter: `a` architecture, `b` boot ID, `H` `l` `q` host name (full, short, pretty), `m` machine ID, `v` kernel
  /// release, `A` `B` `M` `o` `w` `W` of os-release(5), `T` `V` temporary directories. A letter that is missing is an
  /// error for who uses it.
  public var host: [Character: String]

  public init(fragmentPath: String, host: [Character: String] = [:]) {
    self.fragmentPath = fragmentPath
    self.host = host
  }

  /// What they mean to every system manager: its directories and its user.
  static let ofSystemManager: [Character: String] = [
    "t": "/run", "S": "/var/lib", "C": "/var/cache", "L": "/var/log", "E": "/etc", "h": "/root", "u": "root",
    "g": "root", "U": "0", "G": "0",
  ]

  private static let hostLetters: Set<Character> = [
    "a", "b", "H", "l", "q", "m", "v", "A", "B", "M", "o", "w", "W", "T", "V",
  ]

  func expand(_ text: String, guestName: String) throws(WrongValue) -> String {
    var result = String.UnicodeScalarView()
    var scalars = text.unicodeScalars.makeIterator()
    while let scalar = scalars.next() {
      if scalar != "%" {
        result.append(scalar)
      } else if let letter = scalars.next() {
        result.append(contentsOf: try value(Character(letter), guestName).unicodeScalars)
      } else {
        throw WrongValue("a lone % at the end; write %% for the character itself")
      }
    }
    return String(result)
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
    throw WrongValue("%\(letter) is no specifier; write %% for the character % itself")
  }

  private var directory: String {
    guard let slash = fragmentPath.utf8.lastIndex(of: UInt8(ascii: "/")) else { return fragmentPath }
    return slash == fragmentPath.startIndex ? "/" : String(fragmentPath[..<slash])
  }
}
