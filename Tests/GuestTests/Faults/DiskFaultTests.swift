import ControlProtocol
import Foundation
import Glibc
import Testing

@Suite("A daemon with a full disk")
struct DiskFaultTests {
  @Test("a start that cannot write its record to a full disk is logged and paused, and succeeds when there is room")
  func blocks() throws {
    try World.with { world in
      let disk = try TestMount("-t", "tmpfs", "-o", "size=64k", "none", on: world.runtime)
      defer { withExtendedLifetime(disk) {} }
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      let daemon = try world.startDaemon()
      var filler: Filler? = Filler(blocksOf: world.runtime)
      let client = try world.connect("127.0.0.1:8001")
      try daemon.waitForLog("echo.number.new: No space left on device; pausing")
      withExtendedLifetime(filler) {}
      filler = nil
      #expect(try client.ask("hello") == "hello")
      #expect(try daemon.stop() == .exited(0))
    }
  }

  @Test("a start that cannot create any one of its files is logged and paused, and succeeds when there is room")
  func inodes() throws {
    try World.with { world in
      let disk = try TestMount("-t", "tmpfs", "-o", "nr_inodes=32", "none", on: world.runtime)
      defer { withExtendedLifetime(disk) {} }
      for left in 0..<4 { try world.addTiny("g\(left)", "ListenStream=127.0.0.1:\(8100 + left)") }
      let daemon = try world.startDaemon()
      var clients: [Connection] = []
      for left in 0..<4 {
        let filler = Filler(inodesOf: world.runtime, left: left)
        clients.append(try world.connect("127.0.0.1:\(8100 + left)"))
        try daemon.until("g\(left) is paused or ready") {
          daemon.log.contains("g\(left): cannot start: ") || daemon.log.contains("g\(left): ready")
        }
        withExtendedLifetime(filler) {}
      }
      #expect(daemon.log.contains("g0: cannot start: "))
      #expect(daemon.log.ranges(of: "cannot start: ").count == daemon.log.ranges(of: "No space left on").count)
      for (left, client) in clients.enumerated() { #expect(try client.ask("hello \(left)") == "hello \(left)") }
    }
  }

  @Test("the daemon does not start on a full disk, and reports the reason")
  func beginning() throws {
    try World.with { world in
      let disk = try TestMount("-t", "tmpfs", "-o", "nr_inodes=32", "none", on: world.runtime)
      let filler = Filler(inodesOf: world.runtime)
      let outcome = try world.run(Built.dormoused, "--config", world.config, "--runtime", world.runtime)
      #expect(outcome.ending == .exited(1))
      #expect(outcome.errors.contains("No space left on device"))
      withExtendedLifetime((disk, filler)) {}
    }
  }

  @Test("guests start when somebody has removed the runtime directory of the daemon")
  func runtimeGone() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      let daemon = try world.startDaemon()
      try FileManager.default.removeItem(atPath: world.runtime)
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      #expect(try daemon.stop() == .exited(0))
    }
  }

  @Test("the daemon neither ends nor blocks when nobody reads its log or somebody stops reading it")
  func log() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      for name in ["closed", "full"] {
        let log = "\(world.directory)/\(name)"
        mkfifo(log + ".err", 0o600)
        let reader = open(log + ".err", O_RDWR | O_CLOEXEC | O_NONBLOCK)
        let readiness = try NotifySocket(log + ".notify")
        let child = try world.start(
          [Built.dormoused, "--config", world.config, "--runtime", world.runtime],
          environment: ["NOTIFY_SOCKET": readiness.path], log: log)
        try readiness.waitUntilReady(child)
        if name == "closed" { close(reader) }
        if name == "full" { while write(reader, "x", 1) == 1 {} }
        #expect(try world.ask("127.0.0.1:8001", "hello") == "hello", "\(name)")
        child.signal(SIGTERM)
        #expect(child.wait() == .exited(0), "\(name)")
        if name == "full" { close(reader) }
      }
    }
  }
}
