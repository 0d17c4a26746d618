extension Value<Timezone> {
  static let timezone = Value("a timezone mode") { (text, _) throws(WrongValue) in
    if let boolean = Bool(unitText: text), Timezone(rawValue: text) == nil { return boolean ? .auto : .off }
    guard let mode = Timezone(rawValue: text) else {
      throw WrongValue("write off, copy, bind, symlink, delete or auto")
    }
    return mode
  }
}

extension Value<ResolvConf> {
  static let resolvConf = Value("a resolv.conf mode") { (text, _) throws(WrongValue) in
    if let mode = ResolvConf(text) { return mode }
    if let boolean = Bool(unitText: text) { return boolean ? .auto : .off }
    throw WrongValue("write off, delete, auto, or copy-, replace- or bind- with host, static, uplink or stub")
  }
}

extension Value<LinkJournal> {
  static let linkJournal = Value("a way to link journals") { (text, _) throws(WrongValue) in
    guard let mode = LinkJournal(rawValue: text) else {
      throw WrongValue("write no, host, try-host, guest, try-guest or auto")
    }
    return mode
  }
}
