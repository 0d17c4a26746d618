import Foundation
import Glibc
import Testing

@Suite("A root with only /usr")
struct BareRootTests {
  @Test(
    "a root with only /usr starts, and lacking directories and links are made in it if the guest may write to it",
    arguments: [
      "", "[Files]\nVolatile=yes", "[Files]\nVolatile=overlay", "[Files]\nReadOnly=yes", "[Exec]\nEphemeral=yes",
    ])
  func bare(settings: String) throws {
    try World.with { world in
      let root = world.directory + "/root-echo"
      for name in ["bin", "lib", "sbin"] {
        try FileManager.default.createDirectory(atPath: "\(root)/usr/\(name)", withIntermediateDirectories: true)
      }
      try copyProgram(try Payload.tinyInit(), to: root + "/usr/sbin/init")
      try world.addTinyGuest("echo", root: root, "ListenStream=127.0.0.1:8001", settings: settings)
      #expect(try world.dormouse("check", "\(world.config)/echo.guest").output == "")
      try world.startDaemon()
      // The second start finds what the first has made.
      for _ in 1...2 {
        let client = try world.connect("127.0.0.1:8001")
        #expect(try client.ask("read /sbin/none").contains("No such file"))
        #expect(try client.ask("read /lib/none").contains("No such file"))
        #expect(try client.ask("read /etc").contains("Is a directory"))
        #expect(try client.ask("read /var").contains("Is a directory"))
        let leader = try world.leader(of: "echo")
        let links = ["bin", "lib", "sbin"].map {
          try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(leader)/root/\($0)")
        }
        #expect(links == ["usr/bin", "usr/lib", "usr/sbin"])
        client.close()
        try world.sleep("echo")
      }
      if settings == "" || settings.contains("ReadOnly") {
        // Those of root in the guest, whose owners are mapped.
        for name in ["etc", "root", "var"] {
          let made = try FileManager.default.attributesOfItem(atPath: "\(root)/\(name)")
          #expect(made[.ownerAccountID] as? Int == 0)
          #expect(made[.posixPermissions] as? Int == (name == "root" ? 0o700 : 0o755))
        }
      } else {
        #expect(names(in: root) == ["usr"])
      }
    }
  }

  @Test("Debian boots from its /usr alone")
  func debian() throws {
    try World.with { world in
      let root = world.directory + "/root-web"
      try FileManager.default.createDirectory(atPath: root + "/usr", withIntermediateDirectories: true)
      try require("mount", "--bind", try Payload.image("trixie") + "/usr", root + "/usr")
      try world.addGuest(
        "web",
        """
        [Exec]
        Boot=yes
        [Files]
        Volatile=yes
        BindReadOnly=\(Payload.units("hello")):/etc/systemd/system
        BindReadOnly=\(try Payload.directory()):/usr/local/bin
        [Socket]
        ListenStream=127.0.0.1:8001
        [Guest]
        Directory=\(root)
        IdleStopSec=infinity
        """)
      try world.startDaemon()
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
    }
  }

  @Test(
    "mounts of a guest's file below /sys are there, and the rest of its /sys is read-only",
    arguments: ["", "PrivateUsers=no"])
  func belowSys(users: String) throws {
    try World.with { world in
      let shared = world.directory + "/shared"
      try FileManager.default.createDirectory(atPath: shared + "/inner", withIntermediateDirectories: true)
      try "note\n".write(toFile: shared + "/note", atomically: true, encoding: .utf8)
      try world.addTiny(
        "echo", "ListenStream=127.0.0.1:8001",
        settings: """
          [Files]
          BindReadOnly=/sys/module
          BindReadOnly=\(shared):/sys/firmware/deep
          Bind=\(shared)/note:/sys/note
          TemporaryFileSystem=/sys/scratch
          [Exec]
          \(users)
          """)
      try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      let parameter = "/sys/module/kernel/parameters/panic"
      #expect(try client.ask("read " + parameter) == text(of: parameter).trimmingCharacters(in: .newlines))
      // Without a user namespace the file is the guest's root's own.
      #expect(try client.ask("write \(parameter) 0") == (users == "" ? "Permission denied" : "Read-only file system"))
      #expect(try client.ask("read /sys/firmware/deep/note") == "note")
      #expect(try client.ask("read /sys/note") == "note")
      #expect(try client.ask("write /sys/scratch/new x") == "ok")
      #expect(try client.ask("write /sys/new x").contains("Read-only"))
    }
  }
}
