import ControlProtocol
import Foundation
import Glibc
import Testing

@Suite("A guest whose files get new owners on the disk")
struct OwnerChangeTests {
  private static let base = 806_289_408

  /// A guest with 20,000 files, and a neighbour.
  private func prepare(_ world: World) throws {
    let settings = "[Exec]\nPrivateUsers=\(Self.base)\n[Files]\nPrivateUsersOwnership=chown"
    try world.addTiny("big", "ListenStream=127.0.0.1:8001", settings: settings)
    try world.addTiny("small", "ListenStream=127.0.0.1:8002")
    let files = "mkdir -p many/{0..99} && touch many/{0..99}/{0..199} && chmod 4755 many/7/7"
    try require("bash", "-c", "cd \(world.directory)/root-big && \(files)")
    try world.startDaemon()
  }

  /// Stops the helper process that changes the owners, in the middle of its work.
  private func stoppedHelper(_ world: World) throws -> Int32 {
    let daemon = try #require(world.daemon)
    var helper: Int32?
    try eventually("a helper process changes the owners") {
      helper = text(of: "/proc/\(daemon.pid)/task/\(daemon.pid)/children").split(separator: " ").compactMap {
        Int32($0)
      }
      .first { text(of: "/proc/\($0)/cmdline").contains("give-tree") }
      let root = try FileManager.default.attributesOfItem(atPath: world.directory + "/root-big")
      return helper != nil && root[.ownerAccountID] as? Int == 0xFFFE_0000
    }
    let pid = try #require(helper)
    try stop(pid)
    return pid
  }

  private func ownersOnDisk(_ world: World) throws -> Set<String> {
    Set(try require("find", "\(world.directory)/root-big", "-printf", "%U\\n").split(separator: "\n").map(String.init))
  }

  @Test("a client of a neighbour is served while a large tree changes its owners, and the start waits for that")
  func neighbour() throws {
    try World.with { world in
      try prepare(world)
      let client = try world.connect("127.0.0.1:8001")
      try client.send("id")
      let helper = try stoppedHelper(world)
      #expect(try ownersOnDisk(world).contains("4294836224"), "the root's owner tells that it is not complete")
      #expect(try world.ask("127.0.0.1:8002", "id") == "0:0")
      #expect(try world.summary("big").state == .activating)
      #expect(try world.why("big").reasons.first?.contains("changing the owners of the files below") == true)
      kill(helper, SIGCONT)
      #expect(try client.line() == "0:0")
      #expect(try ownersOnDisk(world) == ["\(Self.base)"])
      let log = try #require(world.daemon).log
      let first = try #require(log.range(of: "small: started"))
      #expect(try first.lowerBound < #require(log.range(of: "big: started")).lowerBound)
    }
  }

  @Test("a change of owners whose process is killed fails the start with the reason, and the next start continues it")
  func killed() throws {
    try World.with { world in
      try prepare(world)
      let client = try world.connect("127.0.0.1:8001")
      try client.send("id")
      kill(try stoppedHelper(world), SIGKILL)
      try #require(world.daemon).waitForLog("the helper process was killed by signal 9; the next start continues")
      #expect(try client.line() == "0:0")
      #expect(try ownersOnDisk(world) == ["\(Self.base)"])
      #expect(try require("stat", "-c", "%a", "\(world.directory)/root-big/many/7/7") == "4755\n")
    }
  }

  @Test("a daemon that is told to end ends a change of owners at once, and the next daemon continues it")
  func ended() throws {
    try World.with { world in
      try prepare(world)
      let client = try world.connect("127.0.0.1:8001")
      let helper = try stoppedHelper(world)
      _ = try #require(world.daemon).stop()
      try eventually("the helper process has ended") { !runs(helper) }
      #expect(try ownersOnDisk(world).contains("4294836224"))
      client.close()
      try world.startDaemon()
      #expect(try world.ask("127.0.0.1:8001", "id") == "0:0")
      #expect(try ownersOnDisk(world) == ["\(Self.base)"])
    }
  }
}
