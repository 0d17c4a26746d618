/// The bytes that have a meaning in systemd.syntax(7).
enum Byte {
  static let newline = UInt8(ascii: "\n")
  static let carriageReturn = UInt8(ascii: "\r")
  static let backslash = UInt8(ascii: "\\")
  static let space = UInt8(ascii: " ")

  /// Whether systemd counts the byte as white space (its WHITESPACE).
  static func isSpace(_ byte: UInt8) -> Bool {
    byte == space || byte == UInt8(ascii: "\t") || byte == newline || byte == carriageReturn
  }
}

/// The lines of a file, without their line endings. As in systemd, LF, CR LF and a lone CR all end a line.
struct Lines: Sequence, IteratorProtocol {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  mutating func next() -> ArraySlice<UInt8>? {
    if rest.isEmpty { return nil }
    guard let end = rest.firstIndex(where: { $0 == Byte.newline || $0 == Byte.carriageReturn }) else {
      defer { rest = [] }
      return rest
    }
    let line = rest[rest.startIndex..<end]
    let isPair = rest[end] == Byte.carriageReturn && end + 1 < rest.endIndex && rest[end + 1] == Byte.newline
    rest = rest[(isPair ? end + 2 : end + 1)...]
    return line
  }
}

extension Sequence<UInt8> where Self: BidirectionalCollection, SubSequence == ArraySlice<UInt8> {
  /// The bytes without the white space at both ends.
  var stripped: ArraySlice<UInt8> {
    guard let first = firstIndex(where: { !Byte.isSpace($0) }), let last = lastIndex(where: { !Byte.isSpace($0) })
    else { return [] }
    return self[first...last]
  }

  /// Whether the next line continues this one: it ends in a backslash that is not itself escaped.
  var continues: Bool { reversed().prefix { $0 == Byte.backslash }.count % 2 == 1 }
}
