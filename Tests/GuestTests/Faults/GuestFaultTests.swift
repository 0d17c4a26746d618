import ControlProtocol
import Foundation
import Glibc
import Testing

@Suite("A guest whose PID 1 is killed")
struct GuestFaultTests {
  @Test("a guest whose PID 1 is killed before it is ready is started again after a pause")
  func activating() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", arguments: [])
      let daemon = try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      #expect(try client.ask("hello") == "hello")
      try kill(world.leader(of: "echo"), SIGKILL)
      try daemon.waitForLog("ended before it was ready: killed by signal 9; pausing")
      let next = try world.connect("127.0.0.1:8001")
      #expect(try next.ask("notify READY=1") == "ok")
      try world.wait("echo", .active)
    }
  }

  @Test("a guest whose PID 1 is killed while it serves is started again after a pause")
  func active() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      let daemon = try world.startDaemon()
      try world.wake("echo")
      try kill(world.leader(of: "echo"), SIGKILL)
      try daemon.waitForLog("ended unexpectedly: killed by signal 9; pausing")
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
      #expect(try world.status("echo").counters[.crashes] == 1)
    }
  }

  @Test("a guest whose PID 1 is killed while it stops counts as stopped")
  func deactivating() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", arguments: ["--ready", "--stop=ignore"])
      let daemon = try world.startDaemon()
      try world.wake("echo")
      let pid = try world.leader(of: "echo")
      let sleep = try world.start([Built.dormouse, "sleep", "echo", "--now", "--runtime", world.runtime])
      try daemon.waitForLog("(SIGTERM)")
      kill(pid, SIGKILL)
      #expect(sleep.wait() == .exited(0))
      #expect(try world.summary("echo").state == .inactive)
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
    }
  }

  @Test("the end of PID 1 ends processes that entered the guest's cgroup from outside, and removes the cgroups below")
  func strangers() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      let daemon = try world.startDaemon()
      try world.wake("echo")
      let cgroup = world.cgroup(of: "echo")
      mkdir(cgroup + "/system.slice", 0o755)
      mkdir(cgroup + "/empty", 0o755)
      // The end of the guest affects only processes that are in its cgroup by then.
      let strangers = try ["echo.1.guest", "echo.1.guest/system.slice/a.service"].map {
        try world.startStranger(in: $0)
      }
      try kill(world.leader(of: "echo"), SIGKILL)
      for stranger in strangers { #expect(stranger.wait() == .killed(SIGKILL)) }
      try daemon.waitForLog("ended unexpectedly: killed by signal 9; pausing")
      #expect(access(cgroup, F_OK) != 0)
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
    }
  }
}

@Suite("A guest's cgroup")
struct CgroupFaultTests {
  @Test(
    "a guest ends normally when somebody has moved it out of its cgroup and removed the cgroup",
    arguments: ["poweroff", "ignore"])
  func removed(stop: String) throws {
    try World.with { world in
      try world.addTiny(
        "echo", "ListenStream=127.0.0.1:8001", arguments: ["--ready", "--stop=\(stop)"],
        settings: "[Guest]\nTimeoutStopSec=200ms")
      try world.startDaemon()
      try world.wake("echo")
      let elsewhere = world.cgroup + "/elsewhere"
      mkdir(elsewhere, 0o755)
      for pid in Cgroups.processes(below: world.cgroup(of: "echo")) {
        try "\(pid)".write(toFile: elsewhere + "/cgroup.procs", atomically: false, encoding: .utf8)
      }
      #expect(rmdir(world.cgroup(of: "echo") + "/payload") == 0)
      #expect(rmdir(world.cgroup(of: "echo")) == 0)
      try world.sleep("echo")
      #expect(Cgroups.processes(below: elsewhere) == [])
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
    }
  }

  @Test("a guest sleeps although its cgroup cannot be removed, and the next start makes a new one when it can")
  func unremovable() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      let daemon = try world.startDaemon()
      try world.wake("echo")
      let held = world.cgroup(of: "echo") + "/held"
      mkdir(held, 0o755)
      // A directory that is a mount point cannot be removed.
      var mount: TestMount? = try TestMount("--bind", world.config, on: held)
      try world.sleep("echo")
      #expect(daemon.log.contains("Device or resource busy"))
      let client = try world.connect("127.0.0.1:8001")
      try daemon.waitForLog("Device or resource busy; pausing")
      withExtendedLifetime(mount) {}
      mount = nil
      #expect(try client.ask("again") == "again")
    }
  }

  @Test("a guest's cgroup that cannot be created is reported, and created when that is possible")
  func notMade() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      let daemon = try world.startDaemon()
      let limit = world.cgroup + "/cgroup.max.descendants"
      try "0".write(toFile: limit, atomically: false, encoding: .utf8)
      let client = try world.connect("127.0.0.1:8001")
      try daemon.waitForLog("cannot start: mkdir \(world.cgroup)/echo.")
      try "max".write(toFile: limit, atomically: false, encoding: .utf8)
      #expect(try client.ask("hello") == "hello")
    }
  }

  @Test("processes in a guest's cgroup are killed before the guest starts")
  func occupied() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      try world.startDaemon()
      let stranger = try world.startStranger(in: "echo.1.guest")
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      #expect(stranger.wait() == .killed(SIGKILL))
    }
  }
}
