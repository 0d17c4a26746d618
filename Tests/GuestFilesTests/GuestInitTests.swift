import GuestSpec
import Testing

@testable import GuestFiles

@Suite("The init in a guest's root")
struct GuestInitTests {
  private let tree: FilesTree

  init() throws { tree = try FilesTree() }

  private func guest(_ settings: String = "") throws -> LoadedGuest {
    try tree.add("web.guest", "[Socket]\nListenStream=80\n[Guest]\nDirectory=\(tree.path("root"))\n\(settings)")
    return try #require(GuestFiles(searchPath: [tree.root]).loadAll()["web"])
  }

  /// What is said about the init, among whatever else.
  private func warnings(_ settings: String = "") throws -> [String] {
    _ = try guest(settings)
    return GuestFiles.check(paths: [tree.path("web.guest")]).map(\.message)
      .filter { $0.contains("KillSignal=") || $0.contains("READY=1") || $0.contains("SIGINT") }
  }

  @Test("the init is the first of systemd's paths that is there, else what the link /sbin/init leads to in the root")
  func found() throws {
    #expect(InitSystem(of: try guest().guest) == nil)
    try tree.add("root/bin/busybox", "x")
    try tree.link("root/sbin/init", to: "/bin/busybox")
    #expect(InitSystem(of: try guest().guest) == .busybox)
    try tree.add("root/lib/systemd/systemd", "x")
    #expect(InitSystem(of: try guest().guest) == .systemd)
    #expect(InitSystem(of: try guest("[Exec]\nProcessTwo=yes\nParameters=/bin/x").guest) == nil)
  }

  @Test("an init that a bind mount brings is the one that counts")
  func bound() throws {
    try tree.add("mine", "\u{7f}ELF INIT_VERSION=sysvinit-3.14")
    try tree.add("root/sbin/init", "x")
    #expect(
      InitSystem(of: try guest("[Files]\nBind=\(tree.path("mine")):/sbin/init").guest) == .sysvinit(powersOff: true))
  }

  @Test("dormouse check says what to write for an init that is unknown or cannot do what the file wants")
  func warned() throws {
    try tree.add("root/sbin/init", "#!/bin/sh\n")
    #expect(try warnings().contains { $0.contains("none that is known; write KillSignal=") })
    #expect(try warnings("[Exec]\nKillSignal=SIGUSR1").isEmpty)
    try tree.add("root/sbin/init", "\u{7f}ELF INIT_VERSION=sysvinit-3.06")
    #expect(try warnings().contains { $0.contains("older than 3.11") })
    try tree.add("root/sbin/init", "\u{7f}ELF INIT_VERSION=sysvinit-3.14")
    #expect(try warnings().isEmpty)
    #expect(try warnings("[Exec]\nNotifyReady=yes").contains { $0.contains("sysvinit never sends READY=1") })
    #expect(try warnings("[Exec]\nKillSignal=SIGTERM").contains { $0.contains("remove it, and SIGRTMIN+4 is sent") })
    #expect(try warnings("[Exec]\nKillSignal=SIGRTMIN+4").isEmpty)
  }
}
