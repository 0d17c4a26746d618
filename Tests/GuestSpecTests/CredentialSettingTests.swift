import GuestSpec
import Testing

@Suite("SetCredential= and LoadCredential=")
struct CredentialSettingTests {
  private func credentials(_ lines: String...) -> (found: [Credential], problems: [String]) {
    let reading = read(guest: "[Guest]\n" + lines.joined(separator: "\n"))
    return (reading.guest.policy.credentials, reading.diagnostics.map(\.description))
  }

  @Test("a value is bytes: escapes count, also of NUL, specifiers do not, and a colon is a byte like others")
  func values() {
    let (found, problems) = credentials(#"SetCredential=a:x\x00\n%H:y"#, "SetCredential=empty:")
    #expect(problems == [])
    #expect(found.map(\.source) == [.value(Secret([120, 0, 10] + Array("%H:y".utf8))), .value(Secret([]))])
  }

  @Test("a file is an absolute path, or a name that is looked for, the ID where there is none; specifiers count")
  func files() {
    let (found, problems) = credentials("LoadCredential=a:/srv/%p/key", "LoadCredential=b:other", "LoadCredential=c")
    #expect(problems == [])
    #expect(found.map(\.source) == [.path("/srv/web/key"), .store(name: "other"), .store(name: "c")])
  }

  @Test("an empty one forgets those of its kind")
  func empty() {
    let (found, _) = credentials("SetCredential=a:1", "LoadCredential=b", "SetCredential=")
    #expect(found.map(\.id) == ["b"])
  }

  @Test(
    "what is wrong is named, and the value is in no message",
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
