import GuestSpec
import Testing

@Suite("SetCredential= and LoadCredential=")
struct CredentialSettingTests {
  private func credentials(_ lines: String...) -> (found: [Credential], problems: [String]) {
    let reading = read(guest: "[Guest]\n" + lines.joined(separator: "\n"))
    return (reading.guest.policy.credentials, reading.diagnostics.map(\.description))
  }

  @Test("the value of SetCredential= is bytes: escapes are resolved, also of NUL, and specifiers and colons are kept")
  func values() {
    let (found, problems) = credentials(#"SetCredential=a:x\x00\n%H:y"#, "SetCredential=empty:")
    #expect(problems == [])
    #expect(found.map(\.source) == [.value(Secret([120, 0, 10] + Array("%H:y".utf8))), .value(Secret([]))])
  }

  @Test("LoadCredential= takes an absolute path or the name of a stored credential, by default the ID, with specifiers")
  func files() {
    let (found, problems) = credentials("LoadCredential=a:/srv/%p/key", "LoadCredential=b:other", "LoadCredential=c")
    #expect(problems == [])
    #expect(found.map(\.source) == [.path("/srv/web/key"), .store(name: "other"), .store(name: "c")])
  }

  @Test("an empty SetCredential= removes the credentials that SetCredential= set, and no others")
  func empty() {
    let (found, _) = credentials("SetCredential=a:1", "LoadCredential=b", "SetCredential=")
    #expect(found.map(\.id) == ["b"])
  }

  @Test(
    "an invalid credential is reported, and its value is in no message",
    arguments: [
      "SetCredential=a/b:hidden", "SetCredential=hidden", #"SetCredential=a:hidden\q"#, "LoadCredential=:/srv/key",
      "LoadCredential=a:srv/key",
    ])
  func wrong(line: String) {
    let (found, problems) = credentials(line)
    #expect(found == [])
    #expect(problems.count == 1)
    #expect(!problems.joined().contains("hidden"))
  }
}
