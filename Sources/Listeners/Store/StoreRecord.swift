/// The description of what is in the service manager's store, for the next daemon: a text in a sealed file, which is stored beside the
/// descriptors as `dormouse.record.NUMBER`.
///
///     [record]
///     generation=7
///     version=1
///
///     [dormouse.socket.3]
///     address=127.0.0.1:80
///     guest=web
///     …
///
/// The next daemon may be another release, older or newer. So a reader keeps every key that it does not know when it writes the next
/// record. No key ever changes its meaning, and every reader accepts a record without the newest keys. What older releases must not
/// misread gets a kind of name of its own instead (`StoredName.Kind`).
package struct StoreRecord: Equatable {
  /// The version that this release writes. A later one has more keys.
  static let version: UInt64 = 1

  /// Of several records in the store the one with the highest generation holds; it is the number in the record's name too.
  var generation: UInt64
  /// The newest version whose keys may be in it.
  var version = Self.version
  /// What else the record says of itself.
  var unknown: [String: String] = [:]
  /// What each descriptor is. A record is stored before what it describes, so a descriptor may be missing.
  var sections: [StoredName: StoreSection] = [:]

  init(generation: UInt64) { self.generation = generation }

  /// The record as it is stored: sections in the order of their numbers, keys in the order of their bytes.
  var text: String {
    var header = unknown
    header["generation"] = "\(generation)"
    header["version"] = "\(version)"
    var text = "[record]\n" + StoreSection(header).text
    for (name, section) in sections.sorted(by: { $0.key < $1.key }) { text += "\n[\(name)]\n" + section.text }
    return text
  }
}

/// The keys and values that describe one descriptor.
struct StoreSection: Equatable {
  let fields: [String: String]
  /// One line for each key. Made once, because the whole record is written again whenever one section changes.
  let text: String

  init(_ fields: [String: String]) {
    self.fields = fields
    text = fields.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      .map { "\($0.key)=\(Self.escaped($0.value))\n" }.joined()
  }

  /// Writes a value as one line: control characters and backslashes become `\xHH`.
  private static func escaped(_ value: String) -> String {
    guard value.utf8.contains(where: needsEscape) else { return value }
    var text = ""
    for scalar in value.unicodeScalars {
      if scalar.isASCII, needsEscape(UInt8(truncatingIfNeeded: scalar.value)) {
        text += "\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
    return text
  }

  fileprivate static func needsEscape(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == 0x7f || byte == UInt8(ascii: "\\")
  }

  /// - Returns: nil for what `escaped` does not write.
  fileprivate static func unescaped(_ text: Substring) -> String? {
    var value = String.UnicodeScalarView()
    var rest = text.unicodeScalars
    while let scalar = rest.popFirst() {
      if scalar != "\\" {
        if scalar.isASCII, needsEscape(UInt8(truncatingIfNeeded: scalar.value)) { return nil }
        value.append(scalar)
        continue
      }
      let (mark, digits) = (rest.popFirst(), String(String.UnicodeScalarView(rest.prefix(2))))
      guard mark == "x", digits.unicodeScalars.count == 2, let byte = UInt8(digits, radix: 16), needsEscape(byte),
        digits == (byte < 16 ? "0" : "") + String(byte, radix: 16)
      else { return nil }
      value.append(Unicode.Scalar(byte))
      rest = rest.dropFirst(2)
    }
    return String(value)
  }
}

// Reading. Whoever can store a descriptor can store such a text, so a text is refused unless it is exactly as a release writes it.
extension StoreRecord {
  /// The longest text that is read, in bytes: that of some ten thousand sockets.
  static let sizeLimit = 4 << 20

  /// Why a text is not a record.
  enum Refusal: Error, Equatable, CustomStringConvertible {
    case notUTF8
    case noHeader
    /// What is wrong in a line, counted from 1.
    case line(Int, String)
    /// The header lacks this key, or its value is not a number.
    case header(String)

    var description: String {
      switch self {
      case .notUTF8: "it is not UTF-8 text"
      case .noHeader: "it does not begin with [record]"
      case .line(let number, let problem): "line \(number): \(problem)"
      case .header(let key): "its header has no number \(key)="
      }
    }
  }

  /// Reads a record.
  ///
  /// - Throws: `Refusal` when it is not as a release writes it.
  init(_ bytes: [UInt8]) throws(Refusal) {
    guard let text = String(validating: bytes, as: UTF8.self) else { throw .notUTF8 }
    var reading = Reading()
    var count = 0
    for line in text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false) {
      count += 1
      if let problem = reading.take(Substring(line)) { throw reading.hasBegun ? .line(count, problem) : .noHeader }
    }
    reading.endSection()
    guard reading.hasBegun else { throw .noHeader }
    var header = reading.header
    func number(_ key: String) throws(Refusal) -> UInt64 {
      guard let number = header.removeValue(forKey: key).flatMap(StoredName.number) else { throw .header(key) }
      return number
    }
    self.init(generation: try number("generation"))
    version = try number("version")
    unknown = header
    sections = reading.sections.mapValues(StoreSection.init)
  }

  /// Reads a text line by line.
  private struct Reading {
    var hasBegun = false
    var header: [String: String] = [:]
    var sections: [StoredName: [String: String]] = [:]
    /// The section that the lines belong to. Nil: the header.
    private var name: StoredName?
    private var fields: [String: String] = [:]

    /// - Returns: what is wrong with the line.
    mutating func take(_ line: Substring) -> String? {
      if line == "[record]", !hasBegun {
        hasBegun = true
        return nil
      }
      guard hasBegun else { return "no header" }
      if line.isEmpty { return nil }
      if line.utf8.first == UInt8(ascii: "[") { return begin(line) }
      guard let equals = line.utf8.firstIndex(of: UInt8(ascii: "=")), Self.isKey(line[..<equals]) else {
        return "no KEY=VALUE"
      }
      let key = String(line[..<equals])
      if fields[key] != nil { return "\(key)= stands there twice" }
      guard let value = StoreSection.unescaped(line[line.utf8.index(after: equals)...]) else {
        return "a control character or a backslash in \(key)="
      }
      fields[key] = value
      return nil
    }

    private mutating func begin(_ line: Substring) -> String? {
      guard line.utf8.last == UInt8(ascii: "]"), let next = StoredName(String(line.dropFirst().dropLast())) else {
        return "no name in [ ]"
      }
      endSection()
      if sections[next] != nil { return "\(next) stands there twice" }
      (name, fields) = (next, [:])
      // There already, so that a second one is found.
      sections[next] = [:]
      return nil
    }

    mutating func endSection() {
      if let name { sections[name] = fields } else { header = fields }
    }

    private static func isKey(_ text: Substring) -> Bool {
      (1...64).contains(text.utf8.count)
        && text.utf8.allSatisfy { byte in
          switch byte {
          case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"):
            true
          default: false
          }
        }
    }
  }
}
