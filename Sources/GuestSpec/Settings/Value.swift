import UnitSyntax

/// A value that a setting does not take: why, and what to write instead. The setting's name and the value are the
/// reader's to add.
struct WrongValue: Error, Equatable {
  var reason: String

  init(_ reason: String) { self.reason = reason }
}

/// What the reading of one value knows besides its text, and what it says besides its result.
struct ValueContext {
  /// nil in files whose settings know no specifiers (`.nspawn`).
  var specifiers: Specifiers?
  var guestName: String
  var warnings: [String] = []

  /// Replaces the specifiers of systemd.unit(5).
  func expand(_ text: String) throws(WrongValue) -> String {
    guard let specifiers else { return text }
    return try specifiers.expand(text, guestName: guestName)
  }

  /// Words with quotes and escapes resolved, then specifiers replaced, so that a specifier never makes two words of
  /// one.
  mutating func words(_ text: String) throws(WrongValue) -> [String] {
    let split: Words
    do { split = try Words(text) } catch { throw WrongValue(error.description) }
    for escape in split.unknownEscapes {
      warnings.append("\(escape) is not an escape and is taken as it stands; write \\\\ for a backslash")
    }
    var words: [String] = []
    for word in split.words { words.append(try expand(word)) }
    return words
  }
}

/// How a kind of value is read. `expects` names the kind in messages and in tests.
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
  /// Words in systemd's quoting.
  static let words = Value("words") { (text, context) throws(WrongValue) in try context.words(text) }
}

extension Value<[EnvironmentVariable]> {
  /// What the host says to the guest's PID 1 is said by these, and no other writer may contradict it.
  private static let reserved = ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "LISTEN_PIDFDID", "NOTIFY_SOCKET"]

  static let environment = Value("environment variables") { (text, context) throws(WrongValue) in
    var variables: [EnvironmentVariable] = []
    for word in try context.words(text) {
      guard let equals = word.utf8.firstIndex(of: UInt8(ascii: "=")) else {
        throw WrongValue("\"\(word)\" has no '='; write NAME=VALUE, in quotes when VALUE has spaces")
      }
      let name = String(word[..<equals])
      let value = String(word[word.utf8.index(after: equals)...])
      guard isEnvironmentName(name) else {
        throw WrongValue("\"\(name)\" is not a variable's name; use letters, digits and _, no digit first")
      }
      if reserved.contains(name) {
        throw WrongValue("\(name) is set by Dormouse itself when it passes sockets; take it out")
      }
      if value.unicodeScalars.contains(where: { $0.value < 0x20 && $0 != "\t" && $0 != "\n" || $0.value == 0x7F }) {
        throw WrongValue("the value of \(name) has a control character in it")
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
