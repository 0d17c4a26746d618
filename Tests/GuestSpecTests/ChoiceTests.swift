import Testing

@testable import GuestSpec

@Suite("Settings that take one word of a list")
struct ChoiceTests {
  private func parse<T>(_ value: Value<T>, _ text: String) throws(WrongValue) -> T {
    var context = ValueContext(specifiers: nil, guestName: "web")
    return try value.parse(text, &context)
  }

  @Test("each word of an enumeration is read as its case, in this case of letters only")
  func words() throws {
    for mode in UsersOwnership.allCases { #expect(try parse(Value<UsersOwnership>.ownership, mode.rawValue) == mode) }
    #expect(throws: WrongValue.self) { try parse(Value<UsersOwnership>.ownership, "Map") }
  }

  @Test(
    "a boolean is read as the mode that stands for it, and a word of the list comes before a boolean",
    arguments: [("on", Volatile.yes), ("1", .yes), ("off", .no), ("yes", .yes), ("no", .no), ("state", .state)])
  func booleans(text: String, mode: Volatile) throws {
    #expect(try parse(Value<Volatile>.volatile, text) == mode)
    #expect(try parse(Value<Timezone>.timezone, "off") == .off)
    #expect(try parse(Value<Timezone>.timezone, "yes") == .auto)
  }

  @Test("a boolean is refused where the list has none")
  func noBooleans() {
    for text in ["yes", "on", "1"] {
      #expect(throws: WrongValue.self) { try parse(Value<LinkJournal>.linkJournal, text) }
      #expect(throws: WrongValue.self) { try parse(Value<IdleFreeze>.idleFreeze, text) }
    }
  }

  @Test("ResolvConf= has a word for each way and each of the host's files")
  func resolvConf() throws {
    #expect(ResolvConf.words.count == 15)
    #expect(try parse(Value<ResolvConf>.resolvConf, "replace-static") == .replace(.static))
    #expect(try parse(Value<ResolvConf>.resolvConf, "true") == .auto)
    for text in ["copy", "copy-", "copy-all", "host"] {
      #expect(throws: WrongValue.self) { try parse(Value<ResolvConf>.resolvConf, text) }
    }
  }

  @Test(
    "the message for a wrong word lists the accepted ones, and names the one that was probably meant",
    arguments: [
      ("[Files]\nVolatile=overly", "not a volatile mode; write no, yes, state or overlay; did you mean overlay?"),
      ("[Files]\nVolatile=never", "not a volatile mode; write no, yes, state or overlay"),
      (
        "[Guest]\nIdleFreeze=yes",
        "not a freeze mode; write without-connections or with-connections"
      ),
      (
        "[Exec]\nLinkJournal=try_host",
        "not a journal link mode; write no, host, guest, auto, try-host or try-guest; did you mean try-host?"
      ),
      (
        "[Files]\nBind=/a:/b:rbindd",
        "\"rbindd\" is not an option of a bind mount; write rbind, norbind, noidmap, idmap, rootidmap or owneridmap; "
          + "did you mean rbind?"
      ),
    ])
  func messages(text: String, reason: String) {
    let setting = text.split(separator: "\n")[1]
    #expect(read(guest: text).diagnostics.map(\.description) == ["web.guest:2: \(setting): \(reason)"])
  }
}
