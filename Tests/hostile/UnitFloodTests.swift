import Foundation
import Glibc
import Testing

/// Root of a guest fills the directories in which the daemon looks for its socket units.
@Suite("A guest with unit files without end")
struct UnitFloodTests {
  @Test(
    "the daemon and check read the unit files of a guest up to a limit and say so, and a neighbour is served",
    arguments: [
      (
        "dd if=/dev/zero bs=1M count=1 | tr '\\0' '#' > evil.socket && ln -s ../evil.socket sockets.target.wants/",
        "64 KiB"
      ),
      ("cd sockets.target.wants && seq -f %g.socket 90000 | xargs touch", "1000 names"),
    ])
  func flood(attack: String, limit: String) throws {
    try World.with { world in
      try world.addTiny("bad", "ListenStream=127.0.0.1:8001", settings: "[Exec]\nBoot=yes\nParameters=\n")
      try world.addTiny("neighbour", "ListenStream=127.0.0.1:8002")
      let root = world.directory + "/root-bad"
      let units = root + "/etc/systemd/system"
      try require("mkdir", "-p", units + "/sockets.target.wants", root + "/usr/lib/systemd")
      try require("cp", root + "/sbin/init", root + "/usr/lib/systemd/systemd")
      try require("bash", "-c", "cd \(units) && \(attack)")
      let daemon = try world.startDaemon()
      try daemon.waitForLog("bad: asleep")
      let words =
        "which unit of the guest takes a socket is not known, because its unit files are not read beyond a limit"
      #expect(daemon.log.contains(words) && daemon.log.contains(limit), "\(daemon.log)")
      #expect(!daemon.log.contains("no enabled .socket unit"))
      #expect(try world.ask("127.0.0.1:8002", "hello") == "hello")
      let outcome = try world.run(Built.dormouse, "check", world.config)
      #expect((outcome.output + outcome.errors).contains(words), "\(outcome)")
    }
  }
}
