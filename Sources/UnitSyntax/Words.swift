/// The words of a setting that takes several: systemd.syntax(7) "Quoting".
///
/// As systemd itself does, a quote may also open in the middle of a word (`FOO="a b"` is `FOO=a b`).
public struct Words: Equatable, Sendable {
  /// In the order written.
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
    if let (meaning, length) = Escape.known(rest, allowsNUL: false) {
      position += 1 + length
      return meaning
    }
    // One whole character follows the backslash, and it may have several bytes.
    let next = String(decoding: rest.prefix(4), as: UTF8.self).unicodeScalars.first.map(String.init) ?? ""
    position += 1 + next.utf8.count
    unknownEscapes.append("\\" + next)
    return [Byte.backslash] + next.utf8
  }
}
