import UnitSyntax

/// Why a setting does not accept a value, and what to write instead. The reader of the file adds the setting and the value.
struct WrongValue: Error, Equatable {
  var reason: String

  init(_ reason: String) { self.reason = reason }
}

/// The context in which a value is read, and the warnings that reading it produces.
struct ValueContext {
  /// The specifiers; nil in files without specifiers (`.nspawn`).
  var specifiers: Specifiers?
  var guestName: String
  var warnings: [String] = []

  /// Replaces the specifiers of systemd.unit(5).
  func expand(_ text: String) throws(WrongValue) -> String {
    guard let specifiers else { return text }
    return try specifiers.expand(text, guestName: guestName)
  }

  /// Splits a text into words. Specifiers are replaced after that, so that the value of a specifier stays within one word.
  mutating func words(_ text: String) throws(WrongValue) -> [String] {
    let split: Words
    do { split = try Words(text) } catch { throw WrongValue(error.description) }
    for escape in split.unknownEscapes {
      warnings.append("\(escape) is not an escape and is kept unchanged; write \\\\ for a backslash")
    }
    var words: [String] = []
    for word in split.words { words.append(try expand(word)) }
    return words
  }
}

/// A kind of value, and how it is read. `expects` names the kind in messages and tests.
struct Value<Result>: Sendable {
  let expects: String
  let parse: @Sendable (String, inout ValueContext) throws(WrongValue) -> Result

  init(_ expects: String, _ parse: @escaping @Sendable (String, inout ValueContext) throws(WrongValue) -> Result) {
    self.expects = expects
    self.parse = parse
  }

  /// For a kind of value that has no specifiers and gives no warnings.
  init(_ expects: String, _ parse: @escaping @Sendable (String) throws(WrongValue) -> Result) {
    self.init(expects) { (text, _) throws(WrongValue) in try parse(text) }
  }
}
