import ControlProtocol
import Foundation
import Glibc
import Linux
import Testing

@Suite("The daemon")
struct DaemonTests {
  @Test("SIGTERM to the daemon stops all guests cleanly and in parallel")
  func sigterm() throws {
    try World.with { world in
      for number in 1...3 { try world.addTiny("g\(number)", "ListenStream=127.0.0.1:808\(number)") }
      try world.addDebian("web", image: "bookworm", DebianTests.hello)
      let daemon = try world.startDaemon()
      for name in ["g1", "g2", "web"] { try world.wake(name) }
      let pids = try world.list().compactMap(\.pid)
      #expect(pids.count == 3)
      #expect(try daemon.stop() == .exited(0))
      for pid in pids { #expect(!runs(pid)) }
      // Each guest got its stop signal before the slowest one had stopped.
      let log = daemon.log
      let lastStop = try #require(log.ranges(of: "(SIG").last)
      let gone = try #require(log.ranges(of: "stopped (").last)
      #expect(log.ranges(of: "(SIG").count == 3)
      #expect(lastStop.lowerBound < gone.lowerBound)
      #expect(Cgroups.processes(below: world.cgroup) == [])
    }
  }

  @Test("the daemon's program has its own path, as the journal records it, and is read-only")
  func program() throws {
    try World.with { world in
      let daemon = try world.startDaemon()
      let path = "/proc/\(daemon.pid)/exe"
      #expect(try readLink(path) == Built.dormoused)
      var system = statvfs()
      #expect(statvfs(path, &system) == 0 && system.f_flag & UInt(ST_RDONLY) != 0)
    }
  }

  @Test("a daemon whose directories are named from its working directory starts a guest, and stops it")
  func relativeDirectories() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      let arguments = ["--config", "./config", "--runtime", "config/.././runtime/"]
      let daemon = try world.startDaemon(arguments, under: ["env", "--chdir=\(world.directory)"])
      #expect(daemon.log.contains("control socket at \(world.runtime)/io.dormouse"), "\(daemon.log)")
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      #expect(try daemon.stop() == .exited(0))
    }
  }

  @Test("a second SIGTERM ends the daemon without waiting for its guests")
  func sigtermTwice() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", arguments: ["--ready", "--stop=ignore"])
      let daemon = try world.startDaemon()
      try world.wake("echo")
      let pid = try #require(try world.summary("echo").pid)
      daemon.child.signal(SIGTERM)
      try daemon.waitForLog("(SIGTERM)")
      daemon.child.signal(SIGTERM)
      #expect(daemon.child.wait() == .exited(0))
      #expect(!runs(pid))
    }
  }

  @Test("a second SIGTERM also ends guests that were frozen, start or wait for their turn")
  func sigtermTwiceInEachState() throws {
    try World.with { world in
      try "[Daemon]\nMaxConcurrentStarts=1\n".write(
        toFile: world.config + "/dormoused.conf", atomically: true, encoding: .utf8)
      try world.addTiny("frozen", "ListenStream=127.0.0.1:8001", arguments: ["--ready", "--stop=ignore"])
      try world.addTiny("starting", "ListenStream=127.0.0.1:8002", arguments: ["--stop=ignore"])
      try world.addTiny("queued", "ListenStream=127.0.0.1:8003")
      let daemon = try world.startDaemon()
      try world.wake("frozen")
      #expect(try world.run(Built.dormouse, "freeze", "--now", "frozen", "--runtime", world.runtime).succeeded)
      try world.wait("frozen", .frozen)
      let first = try world.connect("127.0.0.1:8002")
      // The guest accepts, but does not say that it is ready, so it keeps the only place.
      #expect(try first.ask("hello") == "hello")
      let second = try world.connect("127.0.0.1:8003")
      try world.wait("queued", .activating)
      let pids = try world.list().compactMap(\.pid)
      #expect(pids.count == 2)
      daemon.child.signal(SIGTERM)
      try daemon.waitForLog("frozen: stopping")
      try daemon.waitForLog("starting: stopping")
      daemon.child.signal(SIGTERM)
      #expect(daemon.child.wait() == .exited(0))
      for pid in pids { #expect(!runs(pid)) }
      #expect(daemon.log.ranges(of: "stopped (killed by signal 9)").count == 2)
      #expect(!daemon.log.contains("queued: waking"))
      #expect(Cgroups.processes(below: world.cgroup) == [])
      withExtendedLifetime(second) {}
    }
  }

  @Test("the daemon finds the orphan of a killed daemon, and the next connection is served")
  func sigkill() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      let daemon = try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      #expect(try client.ask("hello") == "hello")
      let pid = try #require(try world.summary("echo").pid)
      daemon.child.signal(SIGKILL)
      #expect(daemon.child.wait() == .killed(SIGKILL))
      #expect(runs(pid))

      let next = try world.startDaemon()
      // Until the orphan is stopped or adopted, a connection may still reach it.
      try next.until("the orphan was found") { try [.inactive, .active].contains(world.summary("echo").state) }
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
      let now = try world.summary("echo").pid
      // Either the orphan was adopted, or it was stopped before another instance started.
      #expect(now == pid || !runs(pid))
      #expect(try next.stop() == .exited(0))
      #expect(Cgroups.processes(below: world.cgroup) == [])
    }
  }

  @Test("a reload of the daemon adds new guests, stops removed ones and does not affect the others")
  func sighup() throws {
    try World.with { world in
      try world.addTiny("kept", "ListenStream=127.0.0.1:8001")
      try world.addTiny("removed", "ListenStream=127.0.0.1:8002")
      let daemon = try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      #expect(try client.ask("hello") == "hello")
      try world.wake("removed")
      let kept = try world.summary("kept").pid
      let gone = try #require(try world.summary("removed").pid)

      try world.removeGuest("removed")
      try world.addTiny("new", "ListenStream=127.0.0.1:8003")
      daemon.child.signal(SIGHUP)
      try daemon.until("only the kept and the new guest are listed") {
        try world.list().map(\.name) == ["kept", "new"]
      }
      #expect(!runs(gone))
      #expect(try world.ask("127.0.0.1:8003", "hello") == "hello")
      #expect(try client.ask("still") == "still")
      #expect(try world.summary("kept").pid == kept)
      #expect(throws: (any Error).self) { try world.connect("127.0.0.1:8002") }
    }
  }

  @Test("the daemon started with names manages only these guests")
  func names() throws {
    try World.with { world in
      for number in 1...3 { try world.addTiny("g\(number)", "ListenStream=127.0.0.1:800\(number)") }
      try world.startDaemon(["g1", "g3"])
      #expect(try world.list().map(\.name) == ["g1", "g3"])
    }
  }

  @Test("the daemon matches passed sockets by name and by address, and logs those that do not match")
  func passedSockets() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", "ListenStream=127.0.0.1:8002", "FileDescriptorName=web")
      let listener = try world.start(
        [
          "systemd-socket-activate", "-l", "127.0.0.1:8001", "-l", "127.0.0.1:8009", "--fdname=web:stray",
          Built.dormoused, "--config", world.config, "--runtime", world.runtime,
        ], log: world.directory + "/activated")
      try world.untilListening("127.0.0.1:8001")
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      let sockets = try world.status("echo").sockets
      #expect(sockets.map(\.passed) == [true, false])
      let log = text(of: world.directory + "/activated.err")
      #expect(log.contains("stray"))
      #expect(log.contains("127.0.0.1:8002"))
      listener.signal(SIGTERM)
      #expect(listener.wait() == .exited(0))
    }
  }
}
