import CLinux
import Foundation
import Glibc
import Testing

/// A guest in which root attempts what it must not be able to do: `Tests/hostile/guest`.
// The tests run one after the other because they share a key of root.
@Suite("A hostile guest", .serialized)
struct HostileTests {
  struct Attempt {
    var id: String
    var verdict: String
    var words: String

    /// A line such as `HG-01 held make and open a disk: Operation not permitted`.
    init?(_ line: Substring) {
      let parts = line.split(separator: " ", maxSplits: 2)
      guard parts.count == 3, parts[0].hasPrefix("HG-") else { return nil }
      (id, verdict) = (String(parts[0]), String(parts[1]))
      words = parts[2].trimmingCharacters(in: .whitespacesAndNewlines)
    }
  }

  @Test("every attempt of a hostile guest is refused, without and with private users", arguments: ["no", "pick"])
  func attempts(users: String) throws {
    try World.with { world in
      let program = try Payload.hostile()
      let root = try world.makeTinyRoot("bad")
      try require("cp", program, root + "/sbin/init")
      try require(program, "--plant")
      defer { _ = try? require(program, "--uproot") }
      let readOnly = world.directory + "/read-only"
      try FileManager.default.createDirectory(atPath: readOnly, withIntermediateDirectories: true)
      try "x".write(toFile: readOnly + "/file", atomically: true, encoding: .utf8)
      try world.addGuest(
        "bad",
        """
        [Exec]
        Boot=no
        NotifyReady=yes
        PrivateUsers=\(users)
        Parameters=/sbin/init --victim=\(getpid())
        [Files]
        BindReadOnly=\(readOnly):/ro
        [Guest]
        Directory=\(root)
        IdleStopSec=infinity
        """)
      // The runtime directory is a shared mount, as /run is under systemd, so the host could see mounts that propagate into it.
      for arguments in [["--bind", world.runtime, world.runtime], ["--make-shared", world.runtime]] {
        #expect(try world.run(["mount"] + arguments).succeeded)
      }
      let name = try require("hostname")
      try world.startDaemon()
      try world.wake("bad")
      let attempts = try world.console("bad").split(whereSeparator: \.isNewline).compactMap(Attempt.init)
      #expect(attempts.count == 43)
      let pid = try #require(try world.summary("bad").pid)
      let hasHostUsers = text(of: "/proc/\(pid)/uid_map").contains("4294967295")
      for attempt in attempts where attempt.verdict == "BROKEN" {
        if hasHostUsers, Self.hasVersion1, attempt.id == "HG-19" { continue }
        Issue.record("\(attempt.id) \(attempt.words)")
      }
      #expect(!text(of: "/proc/self/mountinfo").contains(" dormouse-hostile "))
      #expect(try require("hostname") == name)
      #expect(text(of: readOnly + "/file") == "x")
      // Nothing that the guest created outlives it.
      try world.sleep("bad")
      #expect(try world.summary("bad").pid == nil)
    }
  }

  /// Without private users root may mount, and on a host that still has cgroup 1 it may set a release agent there.
  private static var hasVersion1: Bool {
    text(of: "/proc/self/mountinfo").split(separator: "\n").contains { $0.contains(" - cgroup ") }
  }

  @Test("a guest whose init is a script with the interpreter /proc/self/exe cannot write to the daemon's program")
  func program() throws {
    try World.with { world in
      let root = try world.makeTinyRoot("script")
      let script = root + "/sbin/script"
      try writeProgram("#!/proc/self/exe\n".utf8, to: script)
      try world.addGuest("script", "[Exec]\nBoot=no\nParameters=/sbin/script\n[Guest]\nDirectory=\(root)\n")
      let daemon = try world.startDaemon()
      _ = try world.dormouse("wake", "script")
      // The check precedes ETXTBSY, which protects the program only while the daemon runs.
      let answer = access("/proc/\(daemon.pid)/exe", W_OK)
      let code = errno
      #expect(answer == -1)
      #expect(code == EROFS)
    }
  }
}
