/// The words of a setting that takes several: systemd.syntax(7) "Quoting".
///
/// As systemd itself does, a quote may also open in the middle of a word (`FOO="a b"` is `FOO=a b`).
public struct Words: Equatable, Sendable {
  public var words: [String] = []
  /// Escapes that are none, each left as it stands; worth a warning.
  public var unknownEscapes: [String] = []

  /// Splits at white space, removes quotes and resolves the C-style escapes.
  ///
  /// - Throws: `WordsError` when a quote is not closed or an escape gives bytes that are no text.
  public init(_ text: String) throws(WordsError) {
    var splitter = Splitter(text)
    while let word = try splitter.next() { words.append(word) }
    unknownEscapes = splitter.unknownEscapes
  }
}

/// Why a value cannot be split into words.
public enum WordsError: Error, Equatable, Sendable, CustomStringConvertible {
  case unclosedQuote(Character)
  case notText

  public var description: String {
    switch self {
    case .unclosedQuote(let quote): "the quote \(quote) is not closed; write \\\(quote) for the character itself"
    case .notText: "an escape gives bytes that are not valid UTF-8"
    }
  }
}

private struct Splitter {
  private let bytes: [UInt8]
  private var position = 0
  var unknownEscapes: [String] = []

  init(_ text: String) { bytes = Array(text.utf8) }

  mutating func next() throws(WordsError) -> String? {
    while position < bytes.count, Byte.isSpace(bytes[position]) { position += 1 }
    if position == bytes.count { return nil }
    var word: [UInt8] = []
    var quote: UInt8?
    while position < bytes.count {
      let byte = bytes[position]
      if byte == Byte.backslash {
        word += escape()
        continue
      }
      position += 1
      if byte == quote {
        quote = nil
      } else if quote == nil, byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
        quote = byte
      } else if quote == nil, Byte.isSpace(byte) {
        break
      } else {
        word.append(byte)
      }
    }
    if let quote { throw .unclosedQuote(Character(UnicodeScalar(quote))) }
    guard let text = String(validating: word, as: UTF8.self) else { throw .notText }
    return text
  }

  /// The bytes that the escape at `position` stands for; an unknown one stands for itself.
  private mutating func escape() -> [UInt8] {
    let rest = bytes[(position + 1)...]
    if let (meaning, length) = knownEscape(rest) {
      position += 1 + length
      return meaning
    }
    // One whole character follows the backslash, and it may have several bytes.
    let next = String(decoding: rest.prefix(4), as: UTF8.self).unicodeScalars.first.map(String.init) ?? ""
    position += 1 + next.utf8.count
    unknownEscapes.append("\\" + next)
    return [Byte.backslash] + next.utf8
  }

  private func knownEscape(_ rest: ArraySlice<UInt8>) -> (meaning: [UInt8], length: Int)? {
    guard let first = rest.first else { return nil }
    let digits = rest.dropFirst()
    switch first {
    case UInt8(ascii: "a"): return ([7], 1)
    case UInt8(ascii: "b"): return ([8], 1)
    case UInt8(ascii: "f"): return ([12], 1)
    case UInt8(ascii: "n"): return ([10], 1)
    case UInt8(ascii: "r"): return ([13], 1)
    case UInt8(ascii: "t"): return ([9], 1)
    case UInt8(ascii: "v"): return ([11], 1)
    case UInt8(ascii: "s"): return ([Byte.space], 1)
    case Byte.backslash, UInt8(ascii: "\""), UInt8(ascii: "'"): return ([first], 1)
    case UInt8(ascii: "x"): return number(digits, 2, radix: 16, below: 0x100).map { ([UInt8($0)], 3) }
    case UInt8(ascii: "0")...UInt8(ascii: "7"):
      return number(rest, 3, radix: 8, below: 0x100).map { ([UInt8($0)], 3) }
    case UInt8(ascii: "u"): return number(digits, 4, radix: 16, below: 0x11_0000).flatMap { scalar($0, 5) }
    case UInt8(ascii: "U"): return number(digits, 8, radix: 16, below: 0x11_0000).flatMap { scalar($0, 9) }
    default: return nil
    }
  }

  /// Exactly `count` digits; never NUL, which no argument and no path can hold.
  private func number(_ digits: ArraySlice<UInt8>, _ count: Int, radix: Int, below limit: UInt32) -> UInt32? {
    let digits = digits.prefix(count)
    guard digits.count == count, digits.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
      let value = UInt32(String(decoding: digits, as: UTF8.self), radix: radix), value > 0, value < limit
    else { return nil }
    return value
  }

  private func scalar(_ value: UInt32, _ length: Int) -> (meaning: [UInt8], length: Int)? {
    Unicode.Scalar(value).map { (Array(String(Character($0)).utf8), length) }
  }
}
