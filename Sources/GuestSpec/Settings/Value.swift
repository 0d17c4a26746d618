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
}

extension Value<Bool> {
  /// systemd.syntax(7) "Boolean arguments".
  static let boolean = Value("a boolean") { (text, _) throws(WrongValue) in
    guard let value = Bool(unitText: text) else { throw WrongValue("not a boolean; write yes or no") }
    return value
  }
}

extension Bool {
  init?(unitText text: String) {
    switch text.lowercased() {
    case "1", "yes", "y", "true", "t", "on": self = true
    case "0", "no", "n", "false", "f", "off": self = false
    default: return nil
    }
  }
}

extension Value<Signal> {
  static let signal = Value("a signal") { (text, _) throws(WrongValue) in
    guard let signal = Signal(text) else {
      throw WrongValue("not a signal; write a name of signal(7) such as SIGTERM or SIGRTMIN+3")
    }
    return signal
  }
}

extension Value<[String]> {
  /// Words with the quoting of systemd.syntax(7).
  static let words = Value("words") { (text, context) throws(WrongValue) in try context.words(text) }
}

extension Value<[EnvironmentVariable]> {
  /// The variables by which the daemon passes sockets to PID 1 of the guest. A guest file must not contradict them.
  private static let reserved = ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "LISTEN_PIDFDID", "NOTIFY_SOCKET"]

  static let environment = Value("environment variables") { (text, context) throws(WrongValue) in
    var variables: [EnvironmentVariable] = []
    for word in try context.words(text) {
      guard let equals = word.utf8.firstIndex(of: UInt8(ascii: "=")) else {
        throw WrongValue("\"\(word)\" has no '='; write NAME=VALUE, in quotes if VALUE contains spaces")
      }
      let name = String(word[..<equals])
      let value = String(word[word.utf8.index(after: equals)...])
      guard isEnvironmentName(name) else {
        throw WrongValue("\"\(name)\" is not a variable name; use letters, digits and _, no digit first")
      }
      if reserved.contains(name) {
        throw WrongValue("\(name) is set by Dormouse itself; remove it")
      }
      if value.unicodeScalars.contains(where: { $0.value < 0x20 && $0 != "\t" && $0 != "\n" || $0.value == 0x7F }) {
        throw WrongValue("the value of \(name) contains a control character")
      }
      variables.append(EnvironmentVariable(name, value))
    }
    return variables
  }

  private static func isEnvironmentName(_ name: String) -> Bool {
    guard let first = name.utf8.first, !isDigit(first) else { return false }
    return name.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "_") }
  }
}
