import Glibc
import GuestSpec
import Linux
import Testing

@testable import Launching

@Suite("The credentials of a guest")
struct CredentialTests {
  private func bytes(_ credentials: Credentials) -> [String: String] {
    credentials.contents.mapValues { String(decoding: $0.bytes, as: UTF8.self) }
  }

  @Test(
    "credentials come from values, files, directories and the credential stores, and a file wins over a value"
  )
  func sources() throws {
    let scratch = try ScratchDirectory(named: "credentials")
    try makeDirectories(scratch.path + "/tree/deep")
    try makeDirectories(scratch.path + "/store")
    try writeFile(scratch.path + "/file", "of a file")
    try writeFile(scratch.path + "/tree/a", "a")
    try writeFile(scratch.path + "/tree/deep/b", "b")
    try writeFile(scratch.path + "/store/stored", "from the store")
    let wanted = [
      Credential("set", .value(Secret(Array("first".utf8)))), Credential("set", .value(Secret(Array("last".utf8)))),
      Credential("both", .value(Secret(Array("the fallback".utf8)))), Credential("both", .path(scratch.path + "/file")),
      Credential("else", .value(Secret(Array("the fallback".utf8)))), Credential("else", .path(scratch.path + "/none")),
      Credential("tree", .path(scratch.path + "/tree")), Credential("stored", .store(name: "stored")),
      Credential("nowhere", .store(name: "nowhere")),
    ]
    let credentials = try Credentials(wanted, searchPath: ["/nonexistent", scratch.path + "/store"])
    #expect(
      bytes(credentials) == [
        "set": "last", "both": "of a file", "else": "the fallback", "tree_a": "a", "tree_deep_b": "b",
        "stored": "from the store",
      ])
  }

  @Test("an error about a credential has its ID and the reason, and nothing of its value")
  func failures() throws {
    let scratch = try ScratchDirectory(named: "credentials")
    try writeFile(scratch.path + "/large", String(repeating: "x", count: Credential.sizeLimit + 1))
    try writeFile(scratch.path + "/half", String(repeating: "x", count: Credential.sizeLimit / 2 + 1))
    mkfifo(scratch.path + "/fifo", 0o600)
    func words(_ wanted: Credential...) -> String? {
      do {
        _ = try Credentials(wanted, searchPath: [])
        return nil
      } catch {
        return error.description
      }
    }
    let path = scratch.path
    #expect(words(Credential("a", .path("/none"))) == "credential a: open /none: No such file or directory")
    #expect(words(Credential("a", .path(path + "/fifo"))) == "credential a: read \(path)/fifo: Invalid argument")
    let tooMuch = "credential a: all credentials together take more than 1 MiB"
    #expect(words(Credential("a", .path(path + "/large"))) == tooMuch)
    let half = Credential.Source.path(path + "/half")
    #expect(words(Credential("a", half), Credential("b", half)) == tooMuch)
  }

  @Test("directories of credentials have at most 1024 files and directories together, whatever they contain")
  func manyFiles() throws {
    let scratch = try ScratchDirectory(named: "credentials")
    try makeDirectories(scratch.path + "/one/deep")
    try makeDirectories(scratch.path + "/two")
    for number in 2...Credential.entryLimit { try writeFile("\(scratch.path)/one/deep/\(number)", "") }
    let one = Credential("one", .path(scratch.path + "/one"))
    #expect(try Credentials([one], searchPath: []).contents.count == Credential.entryLimit - 1)
    // It is no credential, and is counted.
    symlink("/nowhere", scratch.path + "/two/link")
    let error = #expect(throws: CredentialError.self) {
      try Credentials([Credential("two", .path(scratch.path + "/two")), one], searchPath: [])
    }
    let words = "the directories of LoadCredential= together have more than 1024 files"
    #expect(error?.description.hasPrefix("credential two: \(words)") == true)
  }

  @Test("credentials are in a read-only ramfs, unchanged, and only their owner can read them")
  func mounted() throws {
    let every = (0...255).map { UInt8($0) }
    let credentials = try Credentials([Credential("bytes", .value(Secret(every)))], searchPath: [])
    let mount = try credentials.mount(owner: 4711)
    let place = "/proc/self/fd/\(mount.raw)/"
    #expect(try readFile(place + "bytes", limit: 1000) == every)
    var status = stat()
    for (name, mode) in [("bytes", 0o100400), ("", 0o40500)] as [(String, mode_t)] {
      #expect(stat(place + name, &status) == 0)
      #expect(status.st_mode == mode && status.st_uid == 4711 && status.st_gid == 4711)
    }
    #expect(open(place + "bytes", O_WRONLY) == -1 && errno == EROFS)
    #expect(mkdir(place + "x", 0o700) == -1 && errno == EROFS)
  }

  @Test("the description of a guest does not contain the values of its credentials")
  func secret() {
    var guest = Guest(name: "web")
    guest.policy.credentials = [Credential("id", .value(Secret(Array("hidden".utf8))))]
    var dumped = ""
    dump(guest, to: &dumped)
    #expect(!"\(guest)\(String(reflecting: guest))\(dumped)".contains("hidden"))
    #expect(!dumped.contains("104"))
  }
}
