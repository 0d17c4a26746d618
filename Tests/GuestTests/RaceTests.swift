import ControlProtocol
import Foundation
import Glibc
import Testing

@Suite("A daemon with passed sockets")
struct PassedSocketTests {
  @Test("a daemon with passed sockets ends when the last of its guests sleeps, not when the first does")
  func lastOfTwo() throws {
    try World.with { world in
      try world.addTiny("one", "ListenStream=127.0.0.1:8001", settings: "[Guest]\nIdleStopSec=100ms")
      try world.addTiny("two", "ListenStream=127.0.0.1:8002")
      let daemon = try world.startActivated(["one", "two"], "127.0.0.1:8001", "127.0.0.1:8002")
      let client = try world.connect("127.0.0.1:8002")
      #expect(try client.ask("hello") == "hello")
      try eventually("the first guest sleeps") {
        let one = try world.summary("one")
        return one.wakes > 0 && one.state == .inactive
      }
      #expect(try client.ask("still here") == "still here")
      // The daemon serves the socket of the sleeping guest as long as it runs.
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
      try world.sleep("two")
      #expect(daemon.wait() == .exited(0))
    }
  }

  @Test("a daemon identifies passed sockets although a query fails at first", arguments: ["getsockopt", "getsockname"])
  func refused(call: String) throws {
    // The first calls of this kind are about the passed sockets.
    for number in 1...3 {
      try World.with { world in
        try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
        let inject = "inject=\(call):error=ENOBUFS:when=\(number)"
        // The test holds the socket too, as a service manager does, so no other socket can be bound to the address.
        let strace = ["strace", "-D", "-o", world.directory + "/strace", "-e", "trace=\(call)", "-e", inject]
        let daemon = try world.startActivated(["echo"], "127.0.0.1:8001", under: strace)
        #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
        #expect(text(of: world.directory + "/strace").contains("(INJECTED)"))
        #expect(try world.status("echo").sockets.map(\.passed) == [true])
        try world.sleep("echo")
        #expect(daemon.wait() == .exited(0))
      }
    }
  }

  @Test("a daemon with passed sockets keeps running while a client waits for a guest that fails, so the pauses grow")
  func growingPauses() throws {
    try World.with { world in
      try world.addTiny("broken", "ListenStream=127.0.0.1:8001", arguments: ["--do=exit 1"])
      let daemon = try world.startActivated(["broken"], "127.0.0.1:8001")
      let client = try world.connect("127.0.0.1:8001")
      try eventually("the pauses grow") {
        world.activatedLog.contains("pausing for 1.0 s after 2 failures in a row")
      }
      #expect(daemon.isRunning)
      withExtendedLifetime(client) {}
    }
  }
}

@Suite("A guest that restarts at once")
struct ComebackTests {
  @Test("a guest that restarts at once has its own notify socket")
  func notifySocket() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      try world.startDaemon()
      try world.wake("echo")
      #expect(throws: Trouble.self) { try world.ask("127.0.0.1:8001", "reboot") }
      try eventually("the guest has rebooted") { try world.summary("echo").wakes == 2 }
      try world.wait("echo", .active)
      #expect(names(in: world.runtime).filter { $0.hasSuffix(".notify") } == ["echo.2.notify"])
      // The machine ID is not occupied by the instance that ended, either.
      #expect(try world.status("echo").messages.isEmpty)
      try world.sleep("echo")
      #expect(!names(in: world.runtime).contains { $0.hasSuffix(".notify") })
    }
  }

  @Test("the last console output of a guest that restarts at once is kept")
  func lastWords() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      let daemon = try world.startDaemon()
      for number in 1...5 {
        // The output and the end come together, before the daemon has read anything.
        try world.connect("127.0.0.1:8001").send("print 57344\npoweroff")
        try daemon.until("the guest has stopped") { try world.status("echo").counters[.stops] == number }
        #expect(try world.console("echo").filter { $0 == "x" }.count >= 56 * 1000)
      }
    }
  }
}

@Suite("Two daemons in one cgroup")
struct NeighbourTests {
  @Test("two daemons in one cgroup do not affect each other's guests")
  func leaveAlone() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      #expect(try client.ask("hello") == "hello")
      let other = world.directory + "/other"
      try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: false)
      // The third daemon has a guest of the same name.
      for config in [other, world.config] {
        let neighbour = try world.start(
          [Built.dormoused, "--config", config, "--runtime", other], log: other + "-log")
        try eventually("the other daemon is running") {
          ["no guest file", "pausing"].contains { text(of: other + "-log.err").contains($0) }
        }
        neighbour.signal(SIGTERM)
        #expect(neighbour.wait() == .exited(0))
        #expect(try client.ask("still here") == "still here")
        unlink(other + "-log.err")
      }
      #expect(try world.summary("echo").state == .active)
    }
  }
}

@Suite("A guest file that changes")
struct ChangedFileTests {
  @Test("a renamed guest file takes over the address without a failure")
  func newName() throws {
    try World.with { world in
      try world.addTiny("zebra", "ListenStream=127.0.0.1:8001")
      let daemon = try world.startDaemon()
      try world.removeGuest("zebra")
      try world.addTiny("ant", "ListenStream=127.0.0.1:8001")
      daemon.child.signal(SIGHUP)
      try daemon.waitForLog("ant: asleep")
      #expect(!daemon.log.contains("pausing"))
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
    }
  }

  @Test("a guest file that changed while its guest ran, and changed back, has no effect")
  func changedBack() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      let file = "\(world.config)/echo.guest"
      let original = text(of: file)
      let daemon = try world.startDaemon()
      try world.wake("echo")
      try world.addGuest("echo", original.replacingOccurrences(of: ":8001", with: ":8002"))
      daemon.child.signal(SIGHUP)
      try daemon.waitForLog("guest file changed, in force from the next start on")
      try world.addGuest("echo", original)
      daemon.child.signal(SIGHUP)
      try daemon.until("the files were read twice") {
        daemon.log.ranges(of: "reloading the guest files").count == 2
      }
      try world.sleep("echo")
      #expect(try world.status("echo").sockets.map(\.address) == ["127.0.0.1:8001"])
    }
  }

  @Test("a passed socket is kept when the guest file gives it another name")
  func renamedSocket() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", "FileDescriptorName=old")
      try world.addTiny("other", "ListenStream=127.0.0.1:8002")
      let daemon = try world.startActivated(["echo", "other"], "127.0.0.1:8001")
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      let before = try world.status("echo").sockets
      let file = "\(world.config)/echo.guest"
      try world.addGuest("echo", text(of: file).replacingOccurrences(of: "=old", with: "=new"))
      daemon.signal(SIGHUP)
      try eventually("the file was read") {
        world.activatedLog.contains("guest file changed, in force from the next start on")
      }
      try world.sleep("echo")
      let after = try world.status("echo").sockets
      #expect(after.map(\.inode) == before.map(\.inode))
      #expect(after.map(\.name) == ["new"])
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
    }
  }
}

extension World {
  /// Starts the daemon for `guests` with sockets at `addresses`, as a service manager does at the first connection.
  /// `starter` is a command that executes the arguments after it.
  fileprivate func startActivated(
    _ guests: [String], _ addresses: String..., under starter: [String] = []
  ) throws -> Child {
    let child = try start(
      ["systemd-socket-activate"] + addresses.flatMap { ["-l", $0] } + starter
        + [Built.dormoused, "--config", config, "--runtime", runtime] + guests, log: directory + "/activated")
    for address in addresses { try untilListening(address) }
    return child
  }

  fileprivate var activatedLog: String { text(of: directory + "/activated.err") }
}
