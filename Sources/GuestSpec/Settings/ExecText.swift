func readDroppedCapabilities(_ text: String, _ context: inout ValueContext) throws(WrongValue) -> [CapabilityChoice] {
  try choices(context.words(text))
}

/// The audit capabilities give access to the host's audit system, so they must be named explicitly, and produce a warning.
func readAddedCapabilities(_ text: String, _ context: inout ValueContext) throws(WrongValue) -> [CapabilityChoice] {
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

private func choices(_ words: [String]) throws(WrongValue) -> [CapabilityChoice] {
  var choices: [CapabilityChoice] = []
  for word in words { choices.append(word == "all" ? .all : .one(try capability(word))) }
  return choices
}

private func capability(_ name: String) throws(WrongValue) -> Capabilities {
  if let known = Capabilities(name: name) { return known }
  let near =
    nearestName(to: name, among: Capabilities.names) ?? nearestName(to: "CAP_" + name, among: Capabilities.names)
  let remedy = near.map { "did you mean \($0)?" } ?? "use the names of capabilities(7)"
  throw WrongValue("\"\(name.shortened)\" is not a capability; \(remedy)")
}

func readAmbient(_ text: String, _ context: inout ValueContext) throws(WrongValue) -> [Capabilities] {
  var result: [Capabilities] = []
  for word in try context.words(text) {
    if word == "all" { throw WrongValue("\"all\" is not accepted here; name each capability") }
    result.append(try capability(word))
  }
  return result
}

func readOomScore(_ text: String) throws(WrongValue) -> Int16 {
  let digits =
    text.utf8.first == UInt8(ascii: "-") || text.utf8.first == UInt8(ascii: "+") ? text.dropFirst() : text[...]
  guard let amount = decimal(digits, as: Int16.self), amount <= 1000 else {
    throw WrongValue("not a number from -1000 to 1000")
  }
  return text.utf8.first == UInt8(ascii: "-") ? -amount : amount
}

/// The largest number of processors for which the kernel can be built.
private let mostProcessors = 8192

/// Numbers and ranges, separated by commas or white space.
func readProcessors(_ text: String) throws(WrongValue) -> [ClosedRange<Int>] {
  var ranges: [ClosedRange<Int>] = []
  for word in text.split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
    let bounds = String(word).split(at: UInt8(ascii: "-")).map { decimal($0, as: Int.self) }
    guard let first = bounds.first ?? nil, let last = bounds.last ?? nil, bounds.count <= 2, last < mostProcessors
    else {
      throw WrongValue("\"\(String(word).shortened)\" is not a processor; write numbers and ranges such as 0 2-3")
    }
    guard first <= last else { throw WrongValue("\"\(word)\" is reversed; write the smaller number first") }
    ranges.append(first...last)
  }
  return ranges
}

func readPivotRoot(_ text: String, _ context: inout ValueContext) throws(WrongValue) -> PivotRoot {
  var parts: [String] = []
  for part in text.splitAtColons() { parts.append(try absolutePath(context.expand(part))) }
  guard parts.count <= 2 else { throw WrongValue("too many ':'; write NEW, or NEW:OLD") }
  guard !parts.contains("/") else { throw WrongValue("\"/\" is the root already; write a directory below it") }
  return PivotRoot(new: parts[0], old: parts.count == 2 ? parts[1] : nil)
}
