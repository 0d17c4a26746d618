func readPrivateUsers(_ text: String) throws(WrongValue) -> PrivateUsers {
  switch text {
  case "pick": return .pick
  case "identity": return .identity
  case "managed":
    throw WrongValue("systemd-nsresourced serves unprivileged managers only; write pick")
  default: break
  }
  let parts = text.split(at: UInt8(ascii: ":"))
  // As in systemd, `1` and `0` are booleans, not ranges.
  if parts.count == 1, let boolean = Bool(unitText: text) { return boolean ? .owner : .no }
  let count = parts.count == 2 ? decimal(parts[1], as: UInt32.self) : PrivateUsers.usualCount
  guard parts.count <= 2, let base = decimal(parts[0], as: UInt32.self), let count else {
    throw WrongValue(
      "write yes, no, pick, identity, or a range of IDs by its first and, optionally, their number: 524288:65536")
  }
  // 4294967295 means "no change" to the kernel.
  guard count > 0, UInt64(base) + UInt64(count) <= UInt64(UInt32.max) else {
    throw WrongValue("the range exceeds the valid IDs, 0 to 4294967294")
  }
  return .range(base: base, count: count)
}

func readOwnershipByChown(_ text: String) throws(WrongValue) -> UsersOwnership {
  try readBoolean(text) ? .chown : .off
}

/// Names of users, with systemd's rules for the names of files in /run/host/userdb.
func readUserNames(_ text: String, _ context: inout ValueContext) throws(WrongValue) -> [String] {
  let names = try context.words(text)
  for name in names where !isUserName(name) {
    throw WrongValue(
      "\"\(name.shortened)\" is not a user name; use at most 31 letters, digits, _ and -, no digit first")
  }
  return names
}

private func isUserName(_ name: String) -> Bool {
  guard let first = name.utf8.first, isLetter(first) || first == UInt8(ascii: "_") else { return false }
  let others: [UInt8] = [UInt8(ascii: "_"), UInt8(ascii: "-")]
  return name.utf8.count <= 31 && name.utf8.allSatisfy { isLetter($0) || isDigit($0) || others.contains($0) }
}

func readBindUserShell(_ text: String, _ context: inout ValueContext) throws(WrongValue) -> BindUserShell {
  if let boolean = Bool(unitText: text) { return boolean ? .hosts : .none }
  let path = try context.expand(text)
  guard path.utf8.first == UInt8(ascii: "/") else {
    throw WrongValue("write no, yes for the user's shell on the host, or the path of a shell in the guest")
  }
  return .path(try absolutePath(path))
}
