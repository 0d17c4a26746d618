/// What a descriptor is called in the service manager's store: `dormouse.KIND.NUMBER`.
///
/// A store changes or refuses other names: more than 255 bytes, a `:`, a `\`, a letter that is not ASCII. So the name says nothing
/// about the descriptor; the record beside it does (`StoreRecord`).
package struct StoredName: Hashable, Comparable, CustomStringConvertible {
  /// What kind of descriptor it is; a later release may have more.
  package enum Kind: Hashable, Comparable {
    case socket
    case record
    case unknown(String)

    fileprivate var word: String {
      switch self {
      case .socket: "socket"
      case .record: "record"
      case .unknown(let word): word
      }
    }

    fileprivate init(_ word: String) {
      switch word {
      case "socket": self = .socket
      case "record": self = .record
      default: self = .unknown(word)
      }
    }
  }

  package let kind: Kind
  /// Used once: no other descriptor has had it since the store was empty.
  package let number: UInt64

  init(_ kind: Kind, _ number: UInt64) {
    self.kind = kind
    self.number = number
  }

  /// Reads a name from the store.
  ///
  /// - Returns: nil for a name that no release gives: whoever stores a descriptor chooses its name.
  package init?(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == "dormouse", Self.isWord(parts[1]), let number = Self.number(parts[2]) else {
      return nil
    }
    self.init(Kind(String(parts[1])), number)
  }

  private static func isWord(_ text: Substring) -> Bool {
    (1...32).contains(text.utf8.count) && text.utf8.allSatisfy { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
  }

  /// Reads a number, which has one spelling. A number above `largest` is refused: the next descriptors get higher ones.
  static func number(_ text: some StringProtocol) -> UInt64? {
    guard let number = UInt64(text), number <= largest, "\(number)" == text else { return nil }
    return number
  }

  private static let largest = UInt64.max / 2

  package var description: String { "dormouse.\(kind.word).\(number)" }

  package static func < (left: StoredName, right: StoredName) -> Bool {
    (left.number, left.kind) < (right.number, right.kind)
  }
}
