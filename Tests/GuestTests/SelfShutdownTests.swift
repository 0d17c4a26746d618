import ControlProtocol
import Foundation
import Glibc
import Testing

@Suite("A guest that shuts down by itself")
struct SelfShutdownTests {
  /// Adds a Debian guest with one listener. It is ready only after the `wanted` service has started.
  private func addSystemd(
    _ world: World, image: String = "trixie", stopping: String = "90s", wanted: [String: String] = [:]
  ) throws {
    let units = try world.writeUnits(
      [
        "hello.socket": "[Socket]\nListenStream=127.0.0.1:8001\n",
        "hello.service": "[Service]\nExecStart=/usr/local/bin/tiny-init\n",
      ], wanted: wanted)
    try world.addDebian(
      "web", image: image, units: units, "ListenStream=127.0.0.1:8001",
      settings: "[Guest]\nTimeoutStopSec=\(stopping)")
  }

  private func systemctl(_ world: World, _ arguments: String...) throws {
    _ = try world.run(
      ["nsenter", "--target", "\(world.leader(of: "web"))", "--all", "systemctl", "--no-block"] + arguments)
  }

  @Test("clients of a guest that shuts down by itself before it is ready are parked, and served by the next instance")
  func unready() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", arguments: [])
      let daemon = try world.startDaemon()
      let inside = try world.connect("127.0.0.1:8001")
      #expect(try inside.ask("notify X_SYSTEMD_UNIT_INACTIVE=sockets.target") == "ok")
      try daemon.waitForLog("shutting down by itself")
      let clients = try world.connect("127.0.0.1:8001", times: 5)
      for client in clients { try client.send("hello") }
      try inside.send("reboot")
      for client in clients { #expect(try client.line() == "hello") }
      let status = try world.status("echo")
      #expect(status.lastWake?.cause == .reboot)
      #expect(status.counters[.parked] == 5)
      #expect(status.counters[.failedWakes] == 1)
    }
  }

  @Test("the reboot of a guest whose systemd is not ready yet is recognized as a reboot")
  func unreadySystemd() throws {
    try World.with { world in
      let forever = "[Service]\nType=oneshot\nExecStart=/bin/sleep infinity\n"
      try addSystemd(world, wanted: ["forever.service": forever])
      let daemon = try world.startDaemon()
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      #expect(try world.summary("web").state == .activating)
      try systemctl(world, "reboot")
      try daemon.waitForLog("shutting down by itself")
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
      #expect(!daemon.log.contains("shutdown aborted"))
      #expect(daemon.log.contains("stopped (reboot requested)"))
      #expect(try world.status("web").lastWake?.cause == .reboot)
    }
  }

  @Test("a guest that aborts its shutdown gets back the connections that were drained from its queue")
  func unparked() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      let daemon = try world.startDaemon()
      let inside = try world.connect("127.0.0.1:8001")
      #expect(try inside.ask("hello") == "hello")
      let pid = try world.leader(of: "echo")
      try stop(pid)
      let clients = try world.connect("127.0.0.1:8001", times: 5)
      for client in clients { try client.send("hello") }
      // The guest accepts one of them before that, and none in the second between the two messages: it waits in poll(2).
      try inside.send(
        "notify X_SYSTEMD_UNIT_INACTIVE=sockets.target\ncall 7 0 0 1000\nnotify X_SYSTEMD_UNIT_ACTIVE=sockets.target")
      kill(pid, SIGCONT)
      for client in clients { #expect(try client.line() == "hello") }
      try daemon.waitForLog("shutdown aborted")
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
      #expect(try world.leader(of: "echo") == pid)
      #expect(try world.status("echo").counters.lost.isEmpty)
    }
  }

  @Test("a guest that announces a shutdown and keeps running is not killed, and serves again after the timeout")
  func staysSilently() throws {
    try World.with { world in
      try addSystemd(world, stopping: "2s")
      let daemon = try world.startDaemon()
      try world.wake("web")
      let pid = try world.leader(of: "web")
      try systemctl(world, "stop", "timers.target")
      try daemon.waitForLog("shutting down by itself")
      let client = try world.connect("127.0.0.1:8001")
      #expect(try client.ask("hello") == "hello")
      try daemon.waitForLog("shutdown aborted")
      #expect(try world.leader(of: "web") == pid)
      #expect(try world.summary("web").state == .active)
      #expect(try world.status("web").counters[.kills] == 0)
    }
  }

  @Test("clients of a guest that announces a shutdown and has no stop timeout wait until somebody restarts it")
  func silent() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", settings: "[Guest]\nTimeoutStopSec=infinity")
      let daemon = try world.startDaemon()
      #expect(try world.ask("127.0.0.1:8001", "notify X_SYSTEMD_UNIT_INACTIVE=sockets.target") == "ok")
      try daemon.waitForLog("shutting down by itself")
      let client = try world.connect("127.0.0.1:8001")
      try client.send("hello")
      try world.wake("echo")
      #expect(try client.line() == "hello")
      let status = try world.status("echo")
      #expect(status.wakes == 2)
      #expect(status.counters[.parked] == 1)
      #expect(status.counters[.kills] == 0)
    }
  }

  @Test("a guest that announces a shutdown and then its abort serves again at once")
  func stays() throws {
    try World.with { world in
      try addSystemd(world)
      let daemon = try world.startDaemon()
      try world.wake("web")
      let pid = try world.leader(of: "web")
      try systemctl(world, "stop", "timers.target")
      try daemon.waitForLog("shutting down by itself")
      #expect(try world.why("web").reasons == ["it seems to be shutting down by itself"])
      let client = try world.connect("127.0.0.1:8001")
      try systemctl(world, "start", "timers.target")
      #expect(try client.ask("hello") == "hello")
      #expect(try world.leader(of: "web") == pid)
      // Messages that announce no shutdown have no effect.
      try systemctl(world, "stop", "multi-user.target")
      #expect(try world.ask("127.0.0.1:8001", "still") == "still")
      #expect(daemon.log.ranges(of: "shutting down by itself").count == 1)
    }
  }

  @Test(
    "a guest that stops its sockets on the way to another target is not killed, and clients wait for the next instance",
    arguments: [("trixie", ["isolate", "rescue.target"]), ("sid", ["soft-reboot"])])
  func elsewhere(image: String, arguments: [String]) throws {
    try World.with { world in
      try addSystemd(world, image: image)
      let daemon = try world.startDaemon()
      try world.wake("web")
      let pid = try world.leader(of: "web")
      _ = try world.run(["nsenter", "--target", "\(pid)", "--all", "systemctl", "--no-block"] + arguments)
      try daemon.waitForLog("shutdown aborted")
      #expect(try world.leader(of: "web") == pid)
      #expect(try world.summary("web").state == .active)
      #expect(try world.connect("127.0.0.1:8001").ask("hello", within: 120) == "hello")
      #expect(try world.status("web").wakes == 2)
      #expect(try world.status("web").counters[.kills] == 0)
    }
  }
}
