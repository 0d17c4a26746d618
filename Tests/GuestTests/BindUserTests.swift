import Foundation
import Glibc
import Testing

@Suite("The setting BindUser=", .serialized)
struct BindUserTests {
  /// Creates a user of this host with a home in the world's directory, who is removed after `body`.
  private static func withUser(_ world: World, _ body: (_ name: String, _ home: String) throws -> Void) throws {
    _ = swept
    let name = "dmu-\(getpid())-\(UInt16.random(in: 0 ... .max))"
    let home = "\(world.directory)/home"
    try require("useradd", "--create-home", "--home-dir", home, "--shell", "/bin/sh", "--password", hash, name)
    defer { _ = try? command(["userdel", name]) }
    try body(name, home)
  }

  /// Removes, once in each test process, the users that killed test processes left.
  private static let swept: Void = {
    for line in text(of: "/etc/passwd").split(separator: "\n") where line.hasPrefix("dmu-") {
      let name = line.prefix { $0 != ":" }
      let parts = name.split(separator: "-")
      guard parts.count == 3, let owner = Int32(parts[1]), kill(owner, 0) != 0 else { continue }
      _ = try? command(["userdel", String(name)])
    }
  }()

  private static let password = "sesame"
  private static let hash =
    "$6$dormouse$tqeNBjOnR31MoBBYfErs3MtZf/RRw0WJpjtJ/ZkQTctPY6Cyt.fUDlXBxgMalCSsD.YzrhtIjZmJobk5e9u/i0"

  /// Adds a guest with this host's /usr whose name service supports systemd's user records.
  private static func addGuest(_ world: World, user: String, privateUsers: String) throws {
    let services = "\(world.directory)/nsswitch.conf"
    try "passwd: files systemd\ngroup: files systemd\nshadow: files systemd\n"
      .write(toFile: services, atomically: true, encoding: .utf8)
    try world.addGuest(
      "host",
      """
      [Exec]
      Boot=no
      Parameters=/usr/bin/sleep infinity
      PrivateUsers=\(privateUsers)
      [Files]
      Volatile=yes
      BindReadOnly=\(services):/etc/nsswitch.conf
      BindUser=\(user)
      BindUserShell=yes
      [Socket]
      ListenStream=127.0.0.1:8001
      [Guest]
      Directory=/
      TimeoutStopSec=1s
      IdleStopSec=infinity
      """)
  }

  @Test(
    "a user of BindUser= has the name, shell, password and home of the host's user, and an ID of the guest's own",
    arguments: ["no", "identity", "pick"])
  func known(privateUsers: String) throws {
    try World.with { world in
      try Self.withUser(world) { name, home in
        try Self.addGuest(world, user: name, privateUsers: privateUsers)
        try world.startDaemon()
        try world.wake("host")
        let pid = try #require(try world.summary("host").pid)
        func inside(_ arguments: String...) throws -> String {
          let outcome = try world.run(["nsenter", "--target", "\(pid)", "--all"] + arguments)
          return outcome.succeeded ? outcome.output.trimmingCharacters(in: .newlines) : "failed: " + outcome.errors
        }
        func asUser(_ shell: String) throws -> String {
          try inside("setpriv", "--reuid", "60514", "--regid", "60514", "--clear-groups", "sh", "-c", shell)
        }
        let there = "/run/host/home/\(name)"
        #expect(try inside("id", name) == "uid=60514(\(name)) gid=60514(\(name)) groups=60514(\(name))")
        for key in [name, "60514"] {
          let entry = try inside("getent", "passwd", key).split(separator: ":", omittingEmptySubsequences: false)
          #expect(entry.count == 7 && entry[0] == name && entry[2] == "60514" && entry[3] == "60514", "\(entry)")
          #expect(entry.last == "/bin/sh" && entry.dropLast().last.map(String.init) == there, "\(entry)")
        }
        #expect(try inside("getent", "shadow", name).hasPrefix("\(name):\(Self.hash):"))
        let secret = "/run/host/userdb/\(name).user-privileged"
        #expect(try inside("cat", secret).contains(Self.hash))
        #expect(try asUser("cat \(secret)").contains("Permission denied"))
        #expect(try inside("touch", "/run/host/userdb/x").contains("Read-only file system"))

        // Files of the host's user belong to the user in the guest, and files that he creates there to the host's user.
        #expect(try inside("stat", "-c", "%u:%g", there) == "60514:60514")
        #expect(try asUser("echo hello >\(there)/made && cat \(there)/made") == "hello")
        let attributes = try FileManager.default.attributesOfItem(atPath: home + "/made")
        let hosts = try FileManager.default.attributesOfItem(atPath: home)
        #expect(attributes[.ownerAccountID] as? Int == hosts[.ownerAccountID] as? Int)
        #expect(attributes[.ownerAccountID] as? Int != 0)
        #expect(attributes[.groupOwnerAccountID] as? Int == hosts[.groupOwnerAccountID] as? Int)
        // No other user of the guest is mapped to an owner in that directory.
        #expect(try inside("touch", there + "/roots").hasPrefix("failed"))
      }
    }
  }

  @Test(
    "BindUser= refuses a user that does not exist or is a system user, with a message",
    arguments: [
      ("nobody", "the user nobody"), ("daemon", "a system user"), ("root", "a system user"),
      ("no-such-user-here", "this host has no such user"),
    ])
  func refused(user: String, words: String) throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", settings: "[Files]\nBindUser=\(user)")
      try world.startDaemon()
      let outcome = try world.dormouse("wake", "echo")
      #expect(!outcome.succeeded)
      #expect(outcome.errors.contains("BindUser=\(user): ") && outcome.errors.contains(words), "\(outcome.errors)")
    }
  }

  @Test("BindUser= refuses a user whose home is on a file system without ID-mapped mounts, with a message")
  func cannotBeMapped() throws {
    try World.with { world in
      try Self.withUser(world) { name, home in
        // overlayfs does not support ID-mapped mounts.
        for directory in ["upper", "work"] { #expect(mkdir("\(world.directory)/\(directory)", 0o755) == 0) }
        let options = "lowerdir=\(home),upperdir=\(world.directory)/upper,workdir=\(world.directory)/work"
        #expect(try world.run("mount", "-t", "overlay", "-o", options, "none", home).succeeded)
        defer { umount2(home, Int32(MNT_DETACH)) }
        try world.addTiny("echo", "ListenStream=127.0.0.1:8001", settings: "[Files]\nBindUser=\(name)")
        try world.startDaemon()
        let outcome = try world.dormouse("wake", "echo")
        #expect(!outcome.succeeded)
        let words = "BindUser=\(name): the overlay file system of \(home) cannot be idmapped"
        #expect(outcome.errors.contains(words), "\(outcome.errors)")
      }
    }
  }

  @Test("a user of BindUser= logs in to a guest with systemd with his password of the host", arguments: ["no", "pick"])
  func login(privateUsers: String) throws {
    try World.with { world in
      try Self.withUser(world) { name, home in
        try world.addDebian(
          "web", image: "trixie-users", "ListenStream=127.0.0.1:8001",
          settings: "Terminals=1\n[Exec]\nPrivateUsers=\(privateUsers)\n[Files]\nBindUser=\(name)\nBindUserShell=yes")
        try world.startDaemon()
        try world.wake("web")
        let sitting = try world.sit(
          at: "web", ["--terminal", "1"], "see=login:", #"type=\#(name)\r"#, "see=Password:",
          #"type=\#(Self.password)\r"#,
          "see=$ ", #"type=echo $(id -un) at $(pwd) >made; echo do''ne\r"#, "see=done", World.leave, "end")
        #expect(sitting.trouble == nil && sitting.status == 0 && sitting.restored, "\(sitting)")
        #expect(text(of: home + "/made") == "\(name) at /run/host/home/\(name)\n")
        let made = try FileManager.default.attributesOfItem(atPath: home + "/made")
        #expect(made[.ownerAccountName] as? String == name)
      }
    }
  }
}
