extension Value<[CapabilityChoice]> {
  static let droppedCapabilities = Value("capabilities") { (text, context) throws(WrongValue) in
    try choices(context.words(text))
  }

  /// The audit capabilities give access to the host's audit system, so they must be named explicitly, and produce a warning.
  static let addedCapabilities = Value("more capabilities") { (text, context) throws(WrongValue) in
    let added = try choices(context.words(text))
    let audit = added.filter { if case .one(let one) = $0 { !one.isDisjoint(with: .audit) } else { false } }
    if !audit.isEmpty {
      context.warnings.append(
        "the audit capabilities give access to the host's audit system; the Container Interface advises against them"
      )
    } else if added.contains(.all) {
      context.warnings.append(
        "\"all\" does not include \(Capabilities.audit.names.joined(separator: ", ")), as the Container Interface "
          + "advises; name them to add them")
    }
    return added
  }

  private static func choices(_ words: [String]) throws(WrongValue) -> [CapabilityChoice] {
    var choices: [CapabilityChoice] = []
    for word in words { choices.append(word == "all" ? .all : .one(try capability(word))) }
    return choices
  }

  static func capability(_ name: String) throws(WrongValue) -> Capabilities {
    if let known = Capabilities(name: name) { return known }
    let near =
      nearestName(to: name, among: Capabilities.names) ?? nearestName(to: "CAP_" + name, among: Capabilities.names)
    let remedy = near.map { "did you mean \($0)?" } ?? "use the names of capabilities(7)"
    throw WrongValue("\"\(name.shortened)\" is not a capability; \(remedy)")
  }
}

extension Value<[Capabilities]> {
  static let ambient = Value("names of capabilities") { (text, context) throws(WrongValue) in
    var result: [Capabilities] = []
    for word in try context.words(text) {
      if word == "all" { throw WrongValue("\"all\" is not accepted here; name each capability") }
      result.append(try Value<[CapabilityChoice]>.capability(word))
    }
    return result
  }
}

extension Value<Int16> {
  static let oomScore = Value("a score from -1000 to 1000") { (text, _) throws(WrongValue) in
    let digits =
      text.utf8.first == UInt8(ascii: "-") || text.utf8.first == UInt8(ascii: "+") ? text.dropFirst() : text[...]
    guard let amount = decimal(digits, as: Int16.self), amount <= 1000 else {
      throw WrongValue("not a number from -1000 to 1000")
    }
    return text.utf8.first == UInt8(ascii: "-") ? -amount : amount
  }
}

extension Value<[ClosedRange<Int>]> {
  /// The largest number of processors for which the kernel can be built.
  private static let most = 8192

  /// Numbers and ranges, separated by commas or white space.
  static let processors = Value("numbers of processors") { (text, _) throws(WrongValue) in
    var ranges: [ClosedRange<Int>] = []
    for word in text.split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
      let bounds = String(word).split(at: UInt8(ascii: "-")).map { decimal($0, as: Int.self) }
      guard let first = bounds.first ?? nil, let last = bounds.last ?? nil, bounds.count <= 2, last < most else {
        throw WrongValue("\"\(String(word).shortened)\" is not a processor; write numbers and ranges such as 0 2-3")
      }
      guard first <= last else { throw WrongValue("\"\(word)\" is reversed; write the smaller number first") }
      ranges.append(first...last)
    }
    return ranges
  }
}

extension Value<PivotRoot> {
  static let pivotRoot = Value("directories to pivot to") { (text, context) throws(WrongValue) in
    var parts: [String] = []
    for part in text.splitAtColons() { parts.append(try absolutePath(context.expand(part))) }
    guard parts.count <= 2 else { throw WrongValue("too many ':'; write NEW, or NEW:OLD") }
    guard !parts.contains("/") else { throw WrongValue("\"/\" is the root already; write a directory below it") }
    return PivotRoot(new: parts[0], old: parts.count == 2 ? parts[1] : nil)
  }
}
