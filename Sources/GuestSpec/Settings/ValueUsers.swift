extension Value<PrivateUsers> {
  static let privateUsers = Value("private users") { (text, _) throws(WrongValue) in
    switch text {
    case "pick": return .pick
    case "identity": return .identity
    case "managed":
      throw WrongValue("ranges of systemd-nsresourced are for managers without privileges; write pick")
    default: break
    }
    let parts = text.split(at: UInt8(ascii: ":"))
    // As systemd reads it, `1` and `0` are booleans and no ranges.
    if parts.count == 1, let boolean = Bool(unitText: text) { return boolean ? .owner : .no }
    let count = parts.count == 2 ? decimal(parts[1], as: UInt32.self) : PrivateUsers.usualCount
    guard parts.count <= 2, let base = decimal(parts[0], as: UInt32.self), let count else {
      throw WrongValue(
        "write yes, no, pick, identity, or the first id of a range and perhaps their number: 524288:65536")
    }
    // The last number there is means "no change" to the kernel.
    guard count > 0, UInt64(base) + UInt64(count) <= UInt64(UInt32.max) else {
      throw WrongValue("no range of ids; they go from 0 to 4294967294")
    }
    return .range(base: base, count: count)
  }
}

extension Value<UsersOwnership> {
  static let ownershipByChown = Value("a boolean") { (text, context) throws(WrongValue) in
    try Value<Bool>.boolean.parse(text, &context) ? .chown : .off
  }
}

extension Value<[String]> {
  /// Names as systemd takes them for users that it makes known: what a file in /run/host/userdb can be called.
  static let userNames = Value("names of users") { (text, context) throws(WrongValue) in
    let names = try context.words(text)
    for name in names where !isUserName(name) {
      throw WrongValue(
        "\"\(name.shortened)\" is not a user's name; write letters, digits, _ and -, no digit first, at most 31")
    }
    return names
  }

  private static func isUserName(_ name: String) -> Bool {
    guard let first = name.utf8.first, isLetter(first) || first == UInt8(ascii: "_") else { return false }
    let others: [UInt8] = [UInt8(ascii: "_"), UInt8(ascii: "-")]
    return name.utf8.count <= 31 && name.utf8.allSatisfy { isLetter($0) || isDigit($0) || others.contains($0) }
  }
}

extension Value<BindUserShell> {
  static let bindUserShell = Value("a boolean or a shell's path") { (text, context) throws(WrongValue) in
    if let boolean = Bool(unitText: text) { return boolean ? .hosts : .none }
    let path = try context.expand(text)
    guard path.utf8.first == UInt8(ascii: "/") else {
      throw WrongValue("write no, yes for the shell that the user has on the host, or the path of a shell in the guest")
    }
    return .path(try absolutePath(path))
  }
}
