import ControlProtocol
import Foundation
import Testing

@Suite("Changes of a guest to overlays")
struct OverlayTests {
  private func scratches(_ name: String) -> [String] {
    names(in: "/var/tmp").filter { $0.hasPrefix("dormouse-\(name)-") }
  }

  @Test("changes to an ephemeral root are removed when the guest stops, also when the daemon was killed meanwhile")
  func ephemeral() throws {
    try World.with { world in
      let name = "eph-\(world.name)"
      try world.addTiny(name, "ListenStream=127.0.0.1:8001", settings: "[Exec]\nEphemeral=yes")
      let root = "\(world.directory)/root-\(name)"
      var daemon = try world.startDaemon()
      for _ in 1...2 {
        #expect(try world.ask("127.0.0.1:8001", "read /etc/note").contains("No such file"))
        #expect(try world.ask("127.0.0.1:8001", "write /etc/note x") == "ok")
        #expect(try world.ask("127.0.0.1:8001", "read /etc/note") == "x")
        #expect(names(in: root + "/etc") == [])
        #expect(scratches(name).count == 1)
        try world.sleep(name)
        try eventually("the scratch directory is removed") { scratches(name) == [] }
      }
      #expect(try world.ask("127.0.0.1:8001", "write /etc/note x") == "ok")
      daemon.child.signal(SIGKILL)
      _ = daemon.child.wait()
      daemon = try world.startDaemon()
      try world.sleep(name)
      try eventually("the scratch directory of the killed daemon is removed") { scratches(name) == [] }
      try world.connect("127.0.0.1:8001").send("crash")
      try daemon.until("the crashed guest has stopped") { scratches(name) == [] }
    }
  }

  @Test("the end of a guest whose changes are discarded does not wait for the host's disk")
  func unwritten() throws {
    try World.with { world in
      let name = "dis-\(world.name)"
      try world.addTiny(name, "ListenStream=127.0.0.1:8001", settings: "[Exec]\nEphemeral=yes")
      try world.startDaemon()
      try world.wake(name)
      // The kernel writes back the host's whole file system when such an overlay is unmounted, unless it is volatile.
      let mounts = text(of: "/proc/\(try world.leader(of: name))/mountinfo").split(separator: "\n")
      let root = try #require(mounts.first { $0.split(separator: " ")[4] == "/" })
      // New kernels write it as `fsync=volatile`.
      #expect(root.contains(" - overlay ") && root.contains("volatile"))
    }
  }

  @Test("a large scratch directory is removed while other guests are served, if necessary by the next daemon")
  func much() throws {
    try World.with { world in
      let name = "much-\(world.name)"
      try world.addTiny(name, "ListenStream=127.0.0.1:8001", settings: "[Exec]\nEphemeral=yes\nPrivateUsers=no")
      try world.addTiny("other", "ListenStream=127.0.0.1:8002")
      var daemon = try world.startDaemon()
      func fill() throws {
        #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
        let root = "/proc/\(try world.leader(of: name))/root"
        let script = "for d in $(seq 100); do mkdir -p $0/many/$d && (cd $0/many/$d && touch $(seq 200)); done"
        #expect(try world.run("sh", "-c", script, root, seconds: 240).succeeded)
      }
      try fill()
      try world.sleep(name)
      #expect(try world.ask("127.0.0.1:8002", "meanwhile") == "meanwhile")
      try eventually("the scratch directory is removed, and its record") {
        scratches(name) + names(in: world.runtime).filter { $0.hasSuffix(".discarded") } == []
      }
      try fill()
      daemon.child.signal(SIGKILL)
      _ = daemon.child.wait()
      daemon = try world.startDaemon()
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      #expect(try daemon.stop() == .exited(0))
      #expect(scratches(name) == [])
      #expect(names(in: world.runtime).filter { $0.hasSuffix(".discarded") } == [])
    }
  }

  @Test("a scratch directory that could not be removed is removed after the next guest's end")
  func again() throws {
    try World.with { world in
      let name = "again-\(world.name)"
      try world.addTiny(name, "ListenStream=127.0.0.1:8001", settings: "[Exec]\nEphemeral=yes")
      try world.startDaemon()
      #expect(try world.ask("127.0.0.1:8001", "write /etc/note x") == "ok")
      let scratch = try #require(scratches(name).first.map { "/var/tmp/\($0)" })
      // A directory on which something is mounted cannot be removed.
      try require("mkdir", scratch + "/held")
      try require("mount", "-t", "tmpfs", "held", scratch + "/held")
      defer { _ = try? command(["umount", scratch + "/held"]) }
      try world.sleep(name)
      try eventually("the removal has ended") {
        let pid = try #require(world.daemon).pid
        let children = text(of: "/proc/\(pid)/task/\(pid)/children").split(separator: " ")
        return !children.contains { text(of: "/proc/\($0)/cmdline").contains("remove-tree") }
      }
      #expect(scratches(name).count == 1)
      try require("umount", scratch + "/held")
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      try world.sleep(name)
      try eventually("both scratch directories are removed") { scratches(name) == [] }
    }
  }

  @Test("changes to an overlay go to its uppermost directory or a temporary one, and never to the lower ones")
  func overlays() throws {
    try World.with { world in
      let at = world.directory
      #expect(
        try world.run(
          "sh", "-c",
          "mkdir \(at)/low \(at)/mid \(at)/up; echo low >\(at)/low/a; echo mid >\(at)/mid/a; echo b >\(at)/low/b"
        ).succeeded)
      try world.addTiny(
        "echo", "ListenStream=127.0.0.1:8001",
        settings: """
          [Files]
          Overlay=\(at)/low:\(at)/mid:\(at)/up:/over
          OverlayReadOnly=\(at)/low:\(at)/mid:/only
          Overlay=+/sbin::/sbin
          BindReadOnly=+/sbin:/own
          [Exec]
          PrivateUsers=no
          """)
      try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      #expect(try client.ask("read /over/a") == "mid")
      #expect(try client.ask("read /over/b") == "b")
      #expect(try client.ask("write /over/a new") == "ok")
      #expect(text(of: at + "/up/a") == "new\n" && text(of: at + "/mid/a") == "mid\n")
      #expect(try client.ask("read /only/a") == "mid")
      #expect(try client.ask("write /only/a new").contains("Read-only"))
      #expect(try client.ask("write /sbin/new x") == "ok")
      #expect(names(in: at + "/root-echo/sbin") == ["init"])
      #expect(try client.ask("write /own/new x").contains("Read-only"))
      #expect(try client.ask("read /proc/self/mountinfo").contains(" /run/.layers") == false)
    }
  }

  @Test("a guest does not start when a directory of an overlay is missing, and the message names it")
  func missing() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", settings: "[Files]\nOverlay=/nonexistent::/x")
      try world.startDaemon()
      #expect(
        try world.dormouse("wake", "echo").errors.contains("opening /nonexistent to bind it: No such file or directory")
      )
    }
  }
}
