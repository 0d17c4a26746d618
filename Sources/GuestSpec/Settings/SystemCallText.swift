/// Names and groups of system calls: all of a line are allowed, or with a leading `~` all are refused.
func readSystemCalls(_ text: String, _ context: inout ValueContext) throws(WrongValue) -> [SystemCallChoice] {
  let isRefused = text.utf8.first == UInt8(ascii: "~")
  var choices: [SystemCallChoice] = []
  var unknown = 0
  for word in try context.words(isRefused ? String(text.dropFirst()) : text) {
    let isGroup = word.utf8.first == UInt8(ascii: "@")
    if isGroup, SystemCalls.group(word) == nil {
      let near = nearestName(to: word, among: SystemCalls.groupNames)
      let remedy = near.map { "did you mean \($0)?" } ?? "systemd-analyze syscall-filter lists them"
      throw WrongValue("\"\(word.shortened)\" is not a group of system calls; \(remedy)")
    }
    guard word.utf8.allSatisfy({ isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "_") || isGroup }) else {
      throw WrongValue("\"\(word.shortened)\" is not the name of a system call; write names and @groups")
    }
    if !isGroup, !SystemCalls.known.contains(word) {
      unknown += 1
      if unknown <= mostUnknownCalls { context.warnings.append(unknownCall(word)) }
    }
    choices.append(SystemCallChoice(word, isAllowed: !isRefused))
  }
  if unknown > mostUnknownCalls {
    context.warnings.append("Dormouse does not know \(unknown - mostUnknownCalls) more system calls of this line")
  }
  return choices
}

/// How many unknown system calls of one line get a warning each; the others are counted.
private let mostUnknownCalls = 8

private func unknownCall(_ word: String) -> String {
  let hint = nearestName(to: word, among: SystemCalls.sortedNames).map { "; did you mean \($0)?" } ?? ""
  return "Dormouse knows no system call \"\(word.shortened)\"\(hint)"
}

/// As in systemd.exec(5), the first line makes the list one of allowed families or, with `~`, one of refused families. A later line
/// of the other kind removes families from the list.
func readAddressFamilies(_ text: String, _ context: inout ValueContext) throws(WrongValue) -> AddressFamilies? {
  if text == "none" { return AddressFamilies(isAllowList: true, []) }
  let isRefused = text.utf8.first == UInt8(ascii: "~")
  var numbers: Set<UInt16> = []
  for word in try context.words(isRefused ? String(text.dropFirst()) : text) {
    guard let number = AddressFamilies.number(word) else {
      let near = nearestName(to: word, among: AddressFamilies.allNames)
      let remedy = near.map { "did you mean \($0)?" } ?? "write names of address_families(7) such as AF_INET, or none"
      throw WrongValue("\"\(word.shortened)\" is not an address family; \(remedy)")
    }
    numbers.insert(number)
  }
  return AddressFamilies(isAllowList: !isRefused, numbers)
}

extension AddressFamilies {
  /// Combines an earlier line with a later one.
  static func joined(_ earlier: AddressFamilies?, _ later: AddressFamilies?) -> AddressFamilies? {
    guard var result = earlier, let later, !later.numbers.isEmpty else { return later }
    if result.isAllowList == later.isAllowList {
      result.numbers.formUnion(later.numbers)
    } else {
      result.numbers.subtract(later.numbers)
    }
    return result
  }
}
