/// The variables by which the daemon passes sockets to PID 1 of the guest. A guest file must not contradict them.
private let reserved = ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "LISTEN_PIDFDID", "NOTIFY_SOCKET"]

func readEnvironment(_ text: String, _ context: inout ValueContext) throws(WrongValue) -> [EnvironmentVariable] {
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

private func isEnvironmentName(_ name: String) -> Bool {
  guard let first = name.utf8.first, !isDigit(first) else { return false }
  return name.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "_") }
}
