import Foundation
import Glibc
import Testing

/// Root of a guest makes set-user-ID programs where they belong to users of the host: `Tests/hostile/attacks/setuid.c`.
@Suite("A guest that leaves set-user-ID programs on the host")
struct ExposureTests {
  /// Adds a guest that leaves them in its root and in /shared, in a directory of its own that `mode` opens or closes to others.
  private static func addGuest(_ world: World, mode: UInt32, _ settings: String) throws -> String {
    let above = world.directory + "/guests"
    try FileManager.default.createDirectory(atPath: above, withIntermediateDirectories: true)
    // The world's own directory is closed to others.
    chmod(world.directory, 0o755)
    chmod(above, mode)
    let made = try world.makeTinyRoot("bad")
    let root = above + "/bad"
    try require("mv", made, root)
    try require("cp", try Payload.attack("setuid"), root + "/sbin/init")
    try require("mkdir", "-p", above + "/shared", root + "/shared")
    try world.addGuest(
      "bad",
      """
      [Exec]
      Boot=no
      NotifyReady=yes
      Parameters=/sbin/init
      [Guest]
      Directory=\(root)
      IdleStopSec=infinity
      \(settings)
      """)
    return above
  }

  private static func asNobody(_ world: World, _ program: String) throws -> Outcome {
    // setpriv itself has its capabilities until it executes something.
    try world.run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", "exec \"$0\"", program)
  }

  @Test("a host user cannot execute what root of a guest made set-user-ID in its root or in a mapped bind mount")
  func closed() throws {
    try World.with { world in
      let above = try Self.addGuest(
        world, mode: 0o700, "[Files]\nBind=\(world.directory)/guests/shared:/shared:idmap")
      try world.startDaemon()
      try world.wake("bad")
      for program in ["\(above)/bad/evil", "\(above)/shared/evil"] {
        let file = try FileManager.default.attributesOfItem(atPath: program)
        #expect(file[.ownerAccountID] as? Int == 0, "\(program)")
        #expect(try world.run(program).output == "uid 0\n", "\(program)")
        let outcome = try Self.asNobody(world, program)
        #expect(!outcome.succeeded && outcome.errors.contains("Permission denied"), "\(outcome)")
      }
    }
  }

  @Test("a guest does not start when host users can reach its mapped root, and the message says what helps")
  func root() throws {
    try World.with { world in
      let above = try Self.addGuest(world, mode: 0o755, "")
      try world.startDaemon()
      let outcome = try world.dormouse("wake", "bad")
      #expect(
        outcome.errors.contains(
          "Directory=: users of this host can reach \(above)/bad, where root of the guest could leave them programs that "
            + "run as the host's root (set-user-ID); chmod 0700 \(above), or move it below"), "\(outcome.errors)")
      let checked = try world.dormouse("check", "\(world.config)/bad.guest")
      #expect(checked.output.contains("users of this host can reach \(above)/bad"), "\(checked)")
      #expect(!FileManager.default.fileExists(atPath: above + "/bad/evil"))
      chmod(above, 0o700)
      try world.wake("bad")
      #expect(FileManager.default.fileExists(atPath: above + "/bad/evil"))
      #expect(try !world.dormouse("check", "\(world.config)/bad.guest").output.contains("can reach"))
    }
  }

  @Test(
    "a guest does not start when host users can reach what it may write to with mapped owners",
    arguments: ["Bind=%:/shared:idmap", "Bind=%:/shared:rootidmap", "Bind=%:/shared:owneridmap"])
  func binds(setting: String) throws {
    try World.with { world in
      let shared = world.directory + "/open"
      let text = setting.replacingOccurrences(of: "%", with: shared)
      let above = try Self.addGuest(world, mode: 0o700, "[Files]\n\(text)")
      try require("mkdir", shared)
      chown(shared, 4711, 4711)
      try world.startDaemon()
      let outcome = try world.dormouse("wake", "bad")
      #expect(outcome.errors.contains("Bind=: users of this host can reach \(shared), "), "\(outcome.errors)")
      #expect(try world.dormouse("check", "\(world.config)/bad.guest").output.contains("can reach \(shared)"))
      #expect(!FileManager.default.fileExists(atPath: above + "/bad/evil"))
    }
  }

  @Test(
    "a guest does not start when only a directory that its root can open to others keeps host users out",
    arguments: ["", "[Files]\nReadOnly=yes\nBind=%:/shared:idmap", "[Files]\nReadOnly=yes\nBind=%:/shared:owneridmap"])
  func openedByTheGuest(settings: String) throws {
    try World.with { world in
      let above = try Self.addGuest(
        world, mode: 0o755, settings.replacingOccurrences(of: "%", with: "\(world.directory)/guests/shared"))
      let directory = settings.isEmpty ? above + "/bad" : above + "/shared"
      chmod(directory, 0o700)
      try world.startDaemon()
      let outcome = try world.dormouse("wake", "bad")
      #expect(outcome.errors.contains("users of this host can reach \(directory), "), "\(outcome.errors)")
      let checked = try world.dormouse("check", "\(world.config)/bad.guest")
      #expect(checked.output.contains("can reach \(directory), "), "\(checked)")
      let evil = try Self.asNobody(world, directory + "/evil")
      #expect(!evil.succeeded && !evil.output.contains("uid 0"), "\(evil)")
    }
  }

  @Test("a guest with the host's IDs does not start when host users can reach the upper directory of its overlay")
  func overlay() throws {
    try World.with { world in
      let above = try Self.addGuest(
        world, mode: 0o700,
        "[Exec]\nPrivateUsers=identity\n[Files]\nReadOnly=yes\nOverlay=%/lower:%/upper:/shared"
          .replacingOccurrences(of: "%", with: world.directory))
      let upper = world.directory + "/upper"
      for path in [world.directory + "/lower", upper] { try require("mkdir", path) }
      try world.startDaemon()
      let outcome = try world.dormouse("wake", "bad")
      #expect(outcome.errors.contains("Overlay=: users of this host can reach \(upper), "), "\(outcome.errors)")
      #expect(try world.dormouse("check", "\(world.config)/bad.guest").output.contains("can reach \(upper), "))
      #expect(!FileManager.default.fileExists(atPath: upper + "/evil"))
      chmod(world.directory, 0o700)
      try world.wake("bad")
      #expect(FileManager.default.fileExists(atPath: upper + "/evil"), "\(above)")
    }
  }

  @Test("root in a guest whose root's owners were changed on the disk leaves programs of its own user only")
  func changed() throws {
    try World.with { world in
      let above = try Self.addGuest(
        world, mode: 0o755, "[Exec]\nPrivateUsers=805896192\n[Files]\nPrivateUsersOwnership=chown")
      try world.startDaemon()
      try world.wake("bad")
      #expect(try Self.asNobody(world, above + "/bad/evil").output == "uid 805896192\n")
    }
  }

  @Test("a guest does not start when others can reach the home of a user of BindUser=")
  func home() throws {
    try World.with { world in
      _ = try Self.addGuest(world, mode: 0o700, "")
      let name = "dmu-\(getpid())-\(UInt16.random(in: 0 ... .max))"
      let home = world.directory + "/home"
      try require("useradd", "--create-home", "--home-dir", home, name)
      defer { _ = try? command(["userdel", name]) }
      try world.addTiny("user", settings: "[Files]\nReadOnly=yes\nBindUser=\(name)")
      try world.startDaemon()
      chmod(home, 0o755)
      chmod(world.directory, 0o755)
      let outcome = try world.dormouse("wake", "user")
      #expect(outcome.errors.contains("BindUser=\(name): users of this host can reach \(home), "), "\(outcome.errors)")
    }
  }
}
