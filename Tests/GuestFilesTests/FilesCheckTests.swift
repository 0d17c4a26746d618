import GuestSpec
import Linux
import Testing
import UnitSyntax

@testable import GuestFiles

@Suite("dormouse check")
struct FilesCheckTests {
  private let tree: FilesTree

  /// The lines of a guest that has nothing to complain about but for what a test adds.
  private let sound: String

  init() throws {
    tree = try FilesTree()
    try tree.add("root/sbin/init", "x")
    sound = "[Exec]\nBoot=no\nParameters=/sbin/init\n[Guest]\nDirectory=\(tree.path("root"))\n"
  }

  private func check(_ paths: String...) -> [String] {
    GuestFiles.check(paths: paths.map(tree.path)).map {
      var text = $0.description
      if text.hasPrefix(tree.root + "/") { text.removeFirst(tree.root.count + 1) }
      return text
    }
  }

  @Test("A guest file without a problem makes dormouse check silent")
  func right() throws {
    try tree.add("web.guest", sound + "[Socket]\nListenStream=80\n")
    try tree.add("web.guest.d/a.conf", "[Exec]\nHostname=x\n")
    #expect(check("web.guest").isEmpty)
    #expect(check("web.guest", "web.guest.d/a.conf").isEmpty)
  }

  @Test("Every problem of a guest's files is reported, whichever of the files is named")
  func problems() throws {
    try tree.add("web.guest", "[Exec]\nBoot=maybe\n")
    try tree.add("web.guest.d/a.conf", "[Exec]\nBott=yes\n")
    try tree.add("web.nspawn", "[Exec]\nHostname=-\n")
    let rule = "use letters, digits, dashes and single dots, at most 64 characters"
    let messages = [
      "web.nspawn:2: Hostname=-: not a host name; \(rule)",
      "web.guest:2: Boot=maybe: not a boolean; write yes or no",
      "web.guest.d/a.conf:2: warning: unknown setting Bott= in [Exec]; did you mean Boot=?",
    ]
    #expect(check("web.guest") == messages)
    #expect(check("web.guest.d/a.conf") == messages)
    #expect(check("web.guest", "web.guest.d/a.conf") == messages)
    #expect(check("web.nspawn") == [messages[0]])
    #expect(Set(GuestFiles.check(paths: [tree.root]).map(\.line)) == [2])
  }

  @Test("The daemon's own settings are checked with their drop-ins, whether a file or the directory is named")
  func daemon() throws {
    try tree.add("etc/dormoused.conf", "[Daemon]\nMaxConcurrentStarts=none\nMaxConcurentStarts=2\n[Demon]\n")
    try tree.add("etc/dormoused.conf.d/a.conf", "[Daemon]\nMaxConcurrentStarts=0\nX-Mine=1\n[X-Mine]\nKey=1\n")
    let found = check("etc")
    #expect(found.count == 4)
    #expect(found.first?.hasPrefix("etc/dormoused.conf:2: MaxConcurrentStarts=none: ") == true)
    #expect(found.first?.contains("; write ") == true || found.first?.contains("; use ") == true)
    #expect(
      found.dropFirst().prefix(2) == [
        "etc/dormoused.conf:3: warning: unknown setting MaxConcurentStarts= in [Daemon]; did you mean MaxConcurrentStarts=?",
        "etc/dormoused.conf:4: warning: unknown section [Demon], which has no effect; did you mean [Daemon]?",
      ])
    #expect(found.last?.hasPrefix("etc/dormoused.conf.d/a.conf:2: MaxConcurrentStarts=0: ") == true)
    #expect(check("etc/dormoused.conf") == found)
    #expect(check("etc/dormoused.conf.d/a.conf") == found)
    try tree.add("etc/dormoused.conf", "[Daemon]\nMaxConcurrentStarts=3\n")
    try tree.add("etc/dormoused.conf.d/a.conf", "[Daemon]\nMaxConcurrentStarts=4\n")
    #expect(check("etc") == [])
    #expect(GuestFiles(searchPath: [tree.path("etc")]).loadDaemon().settings.maxConcurrentStarts == 4)
  }

  @Test("A file that does not exist, or is not named like a guest file, is reported")
  func names() throws {
    try tree.add("web.conf", "[Exec]\n")
    #expect(check("none.guest").first?.hasPrefix("none.guest: cannot be read (stat ") == true)
    #expect(
      check("web.conf") == [
        "web.conf: not a guest file by its name; a guest is NAME.guest, a drop-in NAME.guest.d/ANY.conf"
      ])
  }

  @Test("Guests that are checked together must not ask for one address")
  func conflicts() throws {
    let shared = sound + "[Socket]\nListenStream=/run/x\n[Files]\nReadOnly=yes\n"
    try tree.add("a.guest", shared)
    try tree.add("b.guest", shared)
    #expect(check("a.guest").isEmpty)
    #expect(check("a.guest", "b.guest").count == 1)
  }

  @Test("A file that masks a guest has no problem")
  func masked() throws {
    try tree.add("web.guest", "")
    #expect(check("web.guest").isEmpty)
  }
}
