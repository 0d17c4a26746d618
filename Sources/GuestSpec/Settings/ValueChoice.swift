// Settings that take one word of a fixed list. All of them are read by `choice`; a new one is a line here.

extension Value<Volatile> {
  static let volatile = choice("a volatile mode", yes: .yes, no: .no)
}

extension Value<IdleFreeze> {
  static let idleFreeze = choice("a freeze mode")
}

extension Value<BindIPv6Only> {
  static let bindIPv6Only = choice("an IPv6 binding mode", yes: .ipv6Only, no: .both)
}

extension Value<Personality> {
  static let personality = choice("an architecture")
}

extension Value<UsersOwnership> {
  static let ownership = choice("an ownership mode")
}

extension Value<Timezone> {
  static let timezone = choice("a timezone mode", yes: .auto, no: .off)
}

extension Value<ResolvConf> {
  static let resolvConf = choice("a resolv.conf mode", ResolvConf.words, yes: .auto, no: .off)
}

extension Value<LinkJournal> {
  static let linkJournal = choice("a journal link mode")
}

extension Value where Result: Sendable {
  /// Reads one word of a list.
  ///
  /// - Parameters:
  ///   - expects: the kind of value, for messages and tests.
  ///   - words: the accepted words, in the order in which a message lists them, and what each one means.
  ///   - yes: what a true boolean (`on`, `1`) means that is not in the list; nil where booleans are not accepted.
  ///   - no: what a false one means.
  /// - Returns: the reader; its message for any other word lists the accepted ones.
  static func choice(
    _ expects: String, _ words: [(word: String, meaning: Result)], yes: Result? = nil, no: Result? = nil
  ) -> Value {
    Value(expects) { (text, _) throws(WrongValue) in
      if let known = words.first(where: { $0.word == text }) { return known.meaning }
      if let boolean = Bool(unitText: text), let meaning = boolean ? yes : no { return meaning }
      throw WrongValue("not \(expects); \(remedy(for: text, among: words.map(\.word)))")
    }
  }
}

extension Value where Result: RawRepresentable<String> & CaseIterable & Sendable {
  /// Reads the raw value of one of the cases.
  static func choice(_ expects: String, yes: Result? = nil, no: Result? = nil) -> Value {
    choice(expects, Result.allCases.map { ($0.rawValue, $0) }, yes: yes, no: no)
  }
}

/// Lists the words that are accepted, and names the one that was probably meant: `write off, map or auto; did you mean map?`.
func remedy(for word: String, among words: [String]) -> String {
  let list = words.dropLast().joined(separator: ", ") + (words.last.map { words.count > 1 ? " or \($0)" : $0 } ?? "")
  return "write \(list)" + (nearestName(to: word, among: words).map { "; did you mean \($0)?" } ?? "")
}
