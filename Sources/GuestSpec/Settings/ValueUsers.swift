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
  static let ownership = Value("a way to own") { (text, _) throws(WrongValue) in
    guard let ownership = UsersOwnership(rawValue: text) else {
      throw WrongValue("write off, chown, map or auto")
    }
    return ownership
  }

  static let ownershipByChown = Value("a boolean") { (text, context) throws(WrongValue) in
    try Value<Bool>.boolean.parse(text, &context) ? .chown : .off
  }
}
