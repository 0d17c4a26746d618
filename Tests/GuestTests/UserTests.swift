import ControlProtocol
import Foundation
import Glibc
import Testing

@Suite("The users of a guest")
struct UserTests {
  /// The first line of the uid_map of a process: the ID of root on the host, and the number of IDs.
  private func map(_ world: World, _ guest: String) throws -> [Int] {
    let pid = try #require(try world.summary(guest).pid)
    return text(of: "/proc/\(pid)/uid_map").split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
  }

  @Test("private users are a range of the guest's own by default, the same at each start, and of no other guest")
  func pick() throws {
    try World.with { world in
      // The range is derived from the name, and all tests share the ranges of the host, so the name must be unique.
      let (first, second) = ("one-\(world.name)", "two-\(world.name)")
      try world.addTiny(first, "ListenStream=127.0.0.1:8001")
      try world.addTiny(second, "ListenStream=127.0.0.1:8002")
      try world.startDaemon()
      for port in [8001, 8002] { #expect(try world.ask("127.0.0.1:\(port)", "id") == "0:0") }
      let (one, two) = (try map(world, first), try map(world, second))
      #expect(one.count == 3 && one[0] == 0 && one[1] >= 0x8_0000 && one[1] % 65536 == 0 && one[2] == 65536, "\(one)")
      #expect(one[1] != two[1])
      #expect(FileManager.default.fileExists(atPath: "/run/systemd/nspawn-uid/\(one[1])"))
      // Files of the guest's root belong to root on the disk, because the mount maps the owners.
      #expect(try world.ask("127.0.0.1:8001", "write /made x") == "ok")
      let made = try FileManager.default.attributesOfItem(atPath: world.directory + "/root-\(first)/made")
      #expect(made[.ownerAccountID] as? Int == 0)
      try world.sleep(first)
      try world.wait(first, .inactive)
      #expect(!FileManager.default.fileExists(atPath: "/run/systemd/nspawn-uid/\(one[1])"))
      // A guest whose range is in use gets a random one, which is this one once in many thousand times.
      var again: [Int] = []
      for _ in 1...3 where again != one {
        if !again.isEmpty { try world.sleep(first) }
        #expect(try world.ask("127.0.0.1:8001", "id") == "0:0")
        again = try map(world, first)
      }
      #expect(again == one)
    }
  }

  @Test(
    "a guest has the users that PrivateUsers= sets",
    arguments: [
      ("no", [0, 0, 4_294_967_295]), ("identity", [0, 0, 65536]), ("805306368", [0, 805_306_368, 65536]),
      ("805306368:1000", [0, 805_306_368, 1000]),
    ])
  func asked(setting: String, row: [Int]) throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", settings: "[Exec]\nPrivateUsers=\(setting)")
      try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      #expect(try client.ask("id") == "0:0")
      #expect(try map(world, "echo") == row)
      #expect(try client.ask("write /made x") == "ok")
      #expect(try client.ask("write /dev/console x") == "ok")
      let made = try FileManager.default.attributesOfItem(atPath: world.directory + "/root-echo/made")
      #expect(made[.ownerAccountID] as? Int == 0)
      // The Container Interface allows a writable /proc/sys only with private users; Dormouse never makes it writable.
      #expect(try client.ask("write /proc/sys/vm/swappiness 60") != "ok")
    }
  }

  @Test("PrivateUsersOwnership=chown changes owners on the disk, and PrivateUsers=yes uses the range of the owner")
  func chown() throws {
    try World.with { world in
      let settings = "[Exec]\nPrivateUsers=805371904\n[Files]\nPrivateUsersOwnership=chown"
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", settings: settings)
      try world.addGuest(
        "again",
        """
        [Exec]
        Boot=no
        Parameters=/sbin/init
        PrivateUsers=yes
        [Socket]
        ListenStream=127.0.0.1:8002
        [Guest]
        Directory=\(world.directory)/root-echo
        """)
      try world.startDaemon()
      #expect(try world.ask("127.0.0.1:8001", "write /made x") == "ok")
      let made = try FileManager.default.attributesOfItem(atPath: world.directory + "/root-echo/made")
      #expect(made[.ownerAccountID] as? Int == 805_371_904)
      let program = try FileManager.default.attributesOfItem(atPath: world.directory + "/root-echo/sbin/init")
      #expect(program[.ownerAccountID] as? Int == 805_371_904)
      #expect(try map(world, "echo") == [0, 805_371_904, 65536])
      try world.sleep("echo")
      #expect(try world.ask("127.0.0.1:8002", "id") == "0:0")
      #expect(try map(world, "again") == [0, 805_371_904, 65536])
    }
  }

  @Test("a guest whose root cannot be mounted with mapped owners does not start, unless its files change their owners")
  func cannotBeMapped() throws {
    try World.with { world in
      // overlayfs does not support ID-mapped mounts.
      for name in ["quiet", "asked", "given"] {
        let root = try world.makeTinyRoot(name)
        let upper = "\(world.directory)/upper-\(name)"
        for directory in [upper, upper + "-work"] {
          try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        }
        let options = "lowerdir=\(root),upperdir=\(upper),workdir=\(upper)-work"
        #expect(try world.run("mount", "-t", "overlay", "-o", options, "none", root).succeeded)
      }
      defer {
        for name in ["quiet", "asked", "given"] { umount2(world.directory + "/root-" + name, Int32(MNT_DETACH)) }
      }
      try world.addTiny("quiet", "ListenStream=127.0.0.1:8001")
      try world.addTiny(
        "asked", "ListenStream=127.0.0.1:8002",
        settings: "[Exec]\nPrivateUsers=pick\n[Files]\nPrivateUsersOwnership=map")
      try world.addTiny("given", "ListenStream=127.0.0.1:8003", settings: "[Exec]\nPrivateUsers=pick")
      let daemon = try world.startDaemon()
      let refusal = "the overlay file system of \(world.directory)/root-"
      let outcome = try world.dormouse("wake", "quiet")
      #expect(outcome.errors.contains("\(refusal)quiet cannot be idmapped"))
      #expect(outcome.errors.contains("or PrivateUsers=no"))
      _ = try world.connect("127.0.0.1:8002")
      try daemon.until("the start is refused") { daemon.log.contains("\(refusal)asked cannot be idmapped") }
      #expect(try world.ask("127.0.0.1:8003", "id") == "0:0")
      #expect(try map(world, "given")[1] >= 0x8_0000)
    }
  }

  @Test("a bind mount maps owners as its option says", arguments: ["noidmap", "idmap", "rootidmap", "owneridmap"])
  func binds(option: String) throws {
    try World.with { world in
      let shared = world.directory + "/shared"
      try FileManager.default.createDirectory(atPath: shared, withIntermediateDirectories: true)
      try "x".write(toFile: shared + "/file", atomically: true, encoding: .utf8)
      #expect(Glibc.chown(shared, 1234, 1234) == 0 && Glibc.chown(shared + "/file", 1234, 1234) == 0)
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", settings: "[Files]\nBind=\(shared):/srv/x:\(option)")
      let target = world.directory + "/root-echo/srv/x"
      try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
      #expect(Glibc.chown(target, 77, 78) == 0)
      try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      #expect(
        try client.ask("owner /srv/x/file")
          == ["noidmap": "65534:65534", "idmap": "1234:1234", "rootidmap": "0:0", "owneridmap": "77:78"][option])
      if option == "rootidmap" {
        #expect(try client.ask("write /srv/x/new y") == "ok")
        let made = try FileManager.default.attributesOfItem(atPath: shared + "/new")
        #expect(made[.ownerAccountID] as? Int == 1234)
      }
    }
  }

  @Test("private users have their own limits: processes of one guest do not count against those of another")
  func limits() throws {
    // No process of this user may run on the machine.
    let user = Int.random(in: 20_000..<60_000)
    for (users, second) in [("pick", "ok"), ("no", "Resource temporarily unavailable")] {
      try World.with { world in
        for (name, port) in [("one", 8001), ("two", 8002)] {
          try world.addTiny(
            name, "ListenStream=127.0.0.1:\(port)",
            settings: "[Exec]\nUser=\(user)\nLimitNPROC=3\nNotifyReady=no\nPrivateUsers=\(users)")
        }
        try world.startDaemon()
        // With PID 1, each guest has two processes. The limit allows three for one guest, but there are four in total.
        #expect(try world.ask("127.0.0.1:8001", "spawn") == "ok")
        #expect(try world.ask("127.0.0.1:8001", "spawn") == "ok")
        #expect(try world.ask("127.0.0.1:8002", "spawn") == second)
      }
    }
  }
}
