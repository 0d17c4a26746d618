import ControlProtocol
import Foundation
import Glibc
import Testing

@Suite("A guest file that cannot be read")
struct FileFaultTests {
  /// What may be at the path of a guest file instead of a readable file.
  enum Fault: String, CaseIterable {
    case garbage, huge, directory, fifo, loop, zeros, looseLink

    func happen(at path: String) throws {
      unlink(path)
      switch self {
      case .garbage:
        var bytes = (0..<4096).map { _ in UInt8.random(in: .min ... .max) }
        bytes[0] = 0xff
        try Data(bytes).write(to: URL(fileURLWithPath: path))
      case .huge: try Data(repeating: UInt8(ascii: "a"), count: 10 << 20).write(to: URL(fileURLWithPath: path))
      case .directory: mkdir(path, 0o755)
      case .fifo: mkfifo(path, 0o600)
      case .loop: symlink(path, path)
      case .zeros: try Data(count: 100_000).write(to: URL(fileURLWithPath: path))
      case .looseLink: symlink("/no/such/file", path)
      }
    }
  }

  @Test(
    "a guest file that cannot be read is reported at the start, and other guests are served",
    arguments: Fault.allCases)
  func atStart(_ fault: Fault) throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      try fault.happen(at: world.config + "/wrong.guest")
      let daemon = try world.startDaemon()
      #expect(daemon.log.contains("wrong.guest"))
      #expect(try world.list().map(\.name).sorted() == ["echo", "wrong"])
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      try FileManager.default.removeItem(atPath: world.config + "/wrong.guest")
      try world.addTiny("wrong", "ListenStream=127.0.0.1:8002")
      daemon.child.signal(SIGHUP)
      try daemon.waitForLog("wrong: asleep")
      #expect(try world.ask("127.0.0.1:8002", "mended") == "mended")
    }
  }

  @Test("a guest file that cannot be read counts as a guest file when it is the only one")
  func onlyOne() throws {
    try World.with { world in
      try world.addGuest("wrong", "[Exec]\nBoot=perhaps\n")
      let log = try world.startDaemon().log
      #expect(log.contains("Boot=perhaps") && !log.contains("no guest file"))
    }
    try World.with { world in
      let log = try world.startDaemon().log
      #expect(log.contains("no guest file"))
    }
  }

  @Test(
    "a guest file that cannot be read at a reload is reported, and its guest stays as it was, awake or asleep",
    arguments: Fault.allCases)
  func atReload(_ fault: Fault) throws {
    try World.with { world in
      try world.addTiny("awake", "ListenStream=127.0.0.1:8001")
      try world.addTiny("asleep", "ListenStream=127.0.0.1:8002")
      let daemon = try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      #expect(try client.ask("hello") == "hello")
      let pid = try world.leader(of: "awake")
      for name in ["awake", "asleep"] { try fault.happen(at: "\(world.config)/\(name).guest") }
      daemon.child.signal(SIGHUP)
      try daemon.waitForLog("reloading the guest files")
      try daemon.until("both files were reported") {
        daemon.log.contains("awake.guest") && daemon.log.contains("asleep.guest")
      }
      #expect(try client.ask("still there") == "still there")
      #expect(try world.leader(of: "awake") == pid)
      #expect(try world.ask("127.0.0.1:8002", "hello") == "hello")
    }
  }

  @Test(
    "a guest is not stopped because its file or directory cannot be opened at a reload",
    arguments: ["descriptors", "directory"])
  func unreadableDirectory(what: String) throws {
    try World.with { world in
      try world.addTiny("awake", "ListenStream=127.0.0.1:8001")
      try world.addTiny("asleep", "ListenStream=127.0.0.1:8002")
      let daemon = try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      #expect(try client.ask("hello") == "hello")
      if what == "descriptors" { try daemon.leaveDescriptors(0) } else { rename(world.config, world.config + ".away") }
      daemon.child.signal(SIGHUP)
      try daemon.waitForLog("cannot be read")
      if what == "descriptors" {
        try daemon.leaveDescriptorsEnough()
      } else {
        rename(world.config + ".away", world.config)
      }
      #expect(try client.ask("still there") == "still there")
      #expect(try world.ask("127.0.0.1:8002", "hello") == "hello")
      #expect(!daemon.log.contains("guest file removed"))
    }
  }

  @Test("a guest file is read although a system call fails once", arguments: ["newfstatat", "openat", "getdents64"])
  func refusedOnce(call: String) throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      let log = world.directory + "/strace"
      let daemon = try world.startDaemon(
        under: [
          "strace", "-D", "-o", log, "-P", world.config, "-P", world.config + "/echo.guest", "-e", "trace=\(call)",
          "-e", "inject=\(call):error=ENOMEM:when=1",
        ])
      #expect(text(of: log).contains("(INJECTED)"))
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      #expect(!daemon.log.contains("cannot be read"))
    }
  }

  @Test("a guest file that is removed and restored while its guest stops brings the guest back")
  func comesBack() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", arguments: ["--ready", "--stop=ignore"])
      let daemon = try world.startDaemon()
      try world.wake("echo")
      let pid = try world.leader(of: "echo")
      let file = world.config + "/echo.guest"
      rename(file, file + ".away")
      daemon.child.signal(SIGHUP)
      try daemon.waitForLog("(SIGTERM)")
      rename(file + ".away", file)
      daemon.child.signal(SIGHUP)
      try daemon.waitForLog("reloading the guest files", times: 2)
      kill(pid, SIGKILL)
      try daemon.waitForLog("asleep; listening on", times: 2)
      #expect(try world.ask("127.0.0.1:8001", "back") == "back")
    }
  }
}
