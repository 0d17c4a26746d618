/// The words of a value that is a list of words, as systemd.syntax(7) "Quoting" describes.
///
/// As in systemd itself, a quote may also begin in the middle of a word: `FOO="a b"` is the word `FOO=a b`.
public struct Words: Equatable, Sendable {
  /// The words in the order of the text.
  public var words: [String] = []
  /// The invalid escapes, which are kept unchanged in `words`; each deserves a warning.
  public var unknownEscapes: [String] = []

  /// Splits a text at white space, removes quotes and resolves C-style escapes.
  ///
  /// - Throws: `WordsError` when a quote is not closed or the escapes produce bytes that are not UTF-8.
  public init(_ text: String) throws(WordsError) {
    var splitter = Splitter(text)
    while let word = try splitter.next() { words.append(word) }
    unknownEscapes = splitter.unknownEscapes
  }
}

/// Why a value cannot be split into words.
public enum WordsError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A quote is opened and never closed.
  case unclosedQuote(Character)
  /// The escapes produce bytes that are not UTF-8.
  case notText

  public var description: String {
    switch self {
    case .unclosedQuote(let quote): "the quote \(quote) is not closed; write \\\(quote) for the character itself"
    case .notText: "the escapes produce bytes that are not valid UTF-8"
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

  /// Reads the escape at `position`: the bytes that it stands for, or an invalid one unchanged.
  private mutating func escape() -> [UInt8] {
    let rest = bytes[(position + 1)...]
    if let (meaning, length) = Escape.known(rest, allowsNUL: false) {
      position += 1 + length
      return meaning
    }
    // The character after the backslash may have several bytes.
    let next = String(decoding: rest.prefix(4), as: UTF8.self).unicodeScalars.first.map(String.init) ?? ""
    position += 1 + next.utf8.count
    unknownEscapes.append("\\" + next)
    return [Byte.backslash] + next.utf8
  }
}
