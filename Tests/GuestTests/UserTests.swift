import ControlProtocol
import Foundation
import Glibc
import Testing

@Suite("A guest's users")
struct UserTests {
  /// The first row of a process's map: whose id on the host root has, and how many ids there are.
  private func map(_ world: World, _ guest: String) throws -> [Int] {
    let pid = try #require(try world.summary(guest).pid)
    return text(of: "/proc/\(pid)/uid_map").split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
  }

  @Test("are a range of its own without a word, the same at each start, and no other guest's")
  func pick() throws {
    try World.with { world in
      // The range is picked by the name, and the host's ranges are common to all tests: a name that no other test has.
      let (first, second) = ("one-\(world.name)", "two-\(world.name)")
      try world.addTiny(first, "ListenStream=127.0.0.1:8001")
      try world.addTiny(second, "ListenStream=127.0.0.1:8002")
      try world.startDaemon()
      for port in [8001, 8002] { #expect(try world.ask("127.0.0.1:\(port)", "id") == "0:0") }
      let (one, two) = (try map(world, first), try map(world, second))
      #expect(one.count == 3 && one[0] == 0 && one[1] >= 0x8_0000 && one[1] % 65536 == 0 && one[2] == 65536, "\(one)")
      #expect(one[1] != two[1])
      #expect(FileManager.default.fileExists(atPath: "/run/systemd/nspawn-uid/\(one[1])"))
      // What it writes is root's on the disk: the mount translates.
      #expect(try world.ask("127.0.0.1:8001", "write /made x") == "ok")
      let made = try FileManager.default.attributesOfItem(atPath: world.directory + "/root-\(first)/made")
      #expect(made[.ownerAccountID] as? Int == 0)
      try world.sleep(first)
      try world.wait(first, .inactive)
      #expect(!FileManager.default.fileExists(atPath: "/run/systemd/nspawn-uid/\(one[1])"))
      // Those whose ranges are in use are given any: one in many thousands is this one.
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
    "are what PrivateUsers= says",
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
      // The interface gives /proc/sys to nobody whose root is the host's; we give it to nobody.
      #expect(try client.ask("write /proc/sys/vm/swappiness 60") != "ok")
    }
  }

  @Test("own the files on the disk with PrivateUsersOwnership=chown, and PrivateUsers=yes finds them again")
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

  @Test("on a file system that cannot be mapped: the host's with a word about it, refused where they were asked for")
  func cannotBeMapped() throws {
    try World.with { world in
      // An overlay is such a file system.
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
      #expect(try world.ask("127.0.0.1:8001", "id") == "0:0")
      #expect(try map(world, "quiet") == [0, 0, 4_294_967_295])
      let refusal = "the overlay file system of \(world.directory)/root-"
      try daemon.until("it is said") {
        daemon.log.contains(
          "quiet: its users are this host's, root is root: \(refusal)quiet cannot be idmapped")
      }
      _ = try world.connect("127.0.0.1:8002")
      try daemon.until("it is refused") { daemon.log.contains("\(refusal)asked cannot be idmapped") }
      #expect(try world.ask("127.0.0.1:8003", "id") == "0:0")
      #expect(try map(world, "given")[1] >= 0x8_0000)
    }
  }

  @Test("see the files of a bind as the option says", arguments: ["noidmap", "idmap", "rootidmap", "owneridmap"])
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

  @Test("have limits of their own: one guest's processes are not counted against another's of the same user")
  func limits() throws {
    // Nobody else of that number may run on this machine.
    let user = Int.random(in: 20_000..<60_000)
    for (users, second) in [("pick", "ok"), ("no", "Resource temporarily unavailable")] {
      try World.with { world in
        for (name, port) in [("one", 8001), ("two", 8002)] {
          try world.addTiny(
            name, "ListenStream=127.0.0.1:\(port)",
            settings: "[Exec]\nUser=\(user)\nLimitNPROC=3\nNotifyReady=no\nPrivateUsers=\(users)")
        }
        try world.startDaemon()
        // PID 1 counts as well: two processes of each guest, three of one, but four of both.
        #expect(try world.ask("127.0.0.1:8001", "spawn") == "ok")
        #expect(try world.ask("127.0.0.1:8001", "spawn") == "ok")
        #expect(try world.ask("127.0.0.1:8002", "spawn") == second)
      }
    }
  }
}
