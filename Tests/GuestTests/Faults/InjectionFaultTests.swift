import Glibc
import Testing

/// Injects a fault into one system call of the daemon during a wake and the stop of an idle guest: into the first one, into the second one,
/// and so on up to the last.
///
/// The first calls of a kind come from different places in the code. Later ones repeat the same few, such as a file of /proc for each
/// process, so the intervals between the tested calls grow. `make faults` makes every third call of 37 kinds fail under load.
@Suite("A system call that fails")
struct InjectionFaultTests {
  @Test(
    "a system call that fails once costs only a pause: queued clients are served, and nothing is leaked",
    arguments: [
      "openat:error=ENFILE", "epoll_ctl:error=ENOSPC", "mkdir:error=ENOSPC", "readlink:error=ENOMEM",
      "clone3:error=EAGAIN", "socket:error=ENOBUFS", "recvmsg:error=ENOMEM", "pidfd_send_signal:error=ENOMEM",
      "timerfd_settime:error=ENOMEM",
    ])
  func fails(fault: String) throws {
    try forEachCall(fault) { world, daemon, hit in
      #expect(daemon.child.isRunning, "\(hit)")
      try waitUntilAsleep(world, daemon, hit)
      return daemon
    }
  }

  @Test(
    "no accepted connection is lost when a system call fails without which the daemon cannot control the guest",
    arguments: [
      ("epoll_ctl:error=ENOSPC", ""), ("pidfd_open:error=EMFILE", "PrivateUsers=805502976"),
      ("epoll_ctl:error=ENOMEM", "ProcessTwo=yes\nPrivateUsers=805568512"),
    ])
  func holds(fault: String, settings: String) throws {
    try forEachCall(fault + ":delay_enter=200000", "[Exec]\n\(settings)") { world, daemon, hit in
      #expect(daemon.child.isRunning, "\(hit)")
      try waitUntilAsleep(world, daemon, hit)
      return daemon
    }
  }

  @Test(
    "a start fails when the program of ProcessTwo= cannot be found, instead of mistaking process 1 for it",
    arguments: ["pidfd_open:error=EMFILE", "getdents64:error=ENOMEM", "read:error=ENOMEM"])
  func payload(fault: String) throws {
    try forEachCall(fault, "[Exec]\nProcessTwo=yes") { world, daemon, hit in
      #expect(daemon.child.isRunning, "\(hit)")
      try waitUntilAsleep(world, daemon, hit)
      // Notifications of the program are accepted only if it is identified.
      #expect(try world.status("echo").counters[.notifyRefused] == 0, "\(hit)")
      return daemon
    }
  }

  @Test(
    "the daemon finds everything that a daemon left which was killed in any system call",
    arguments: ["mkdir", "rename", "clone3", "epoll_ctl", "sendto", "close", "rmdir", "unlink", "pidfd_send_signal"])
  func kills(call: String) throws {
    try forEachCall(call + ":signal=SIGKILL") { world, daemon, hit in
      #expect(daemon.child.wait() == .killed(SIGKILL), "\(hit)")
      let next = try world.startDaemon()
      try waitUntilAsleep(world, next, hit)
      #expect(world.cgroups(of: "echo").isEmpty, "\(hit)")
      #expect(world.records(of: "echo").isEmpty, "\(hit)")
      return next
    }
  }

  @Test(
    "a shortage while a root is tried for mapping neither gives a guest the host's users nor its files other owners",
    arguments: ["", "PrivateUsers=pick"])
  func mapping(users: String) throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", settings: "[Exec]\n\(users)")
      let daemon = try world.startDaemon()
      let injection = try Injection("open_tree:error=ENOMEM:when=1..2", into: daemon.pid, of: world)
      #expect(try world.ask("127.0.0.1:8001", "id") == "0:0")
      injection.end()
      #expect(injection.log.contains("(INJECTED)"))
      #expect(daemon.log.contains("Cannot allocate memory"))
      let pid = try world.leader(of: "echo")
      #expect(text(of: "/proc/\(pid)/uid_map").split(separator: " ").dropFirst().first != "0")
      var status = stat()
      #expect(stat(world.root(of: "echo") + "/sbin/init", &status) == 0 && status.st_uid == 0)
    }
  }

  @Test("a failed thaw of a frozen guest is retried until it succeeds")
  func thaws() throws {
    try World.with { world in
      try world.addTiny(
        "echo", "ListenStream=127.0.0.1:8001", settings: "[Guest]\nIdleFreezeSec=100ms")
      let daemon = try world.startDaemon()
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      try daemon.waitForLog("frozen")
      let injection = try Injection(
        "write:error=ENOSPC:when=1", at: world.cgroup(of: "echo") + "/cgroup.freeze", into: daemon.pid, of: world)
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
      injection.end()
      #expect(injection.log.contains("(INJECTED)"))
      #expect(daemon.log.contains("echo: cannot thaw, retrying"))
      #expect(daemon.log.contains("cgroup.freeze: No space left on device"))
    }
  }

  @Test("a failed thaw of a stopping guest is retried until it succeeds")
  func resumes() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", settings: "[Guest]\nTimeoutStopSec=infinity")
      let daemon = try world.startDaemon()
      let inside = try world.connect("127.0.0.1:8001")
      #expect(try inside.ask("hello") == "hello")
      let injection = try Injection(
        "write:error=ENOSPC:when=2", at: world.cgroup(of: "echo") + "/cgroup.freeze", into: daemon.pid, of: world)
      try inside.send("notify X_SYSTEMD_UNIT_INACTIVE=sockets.target\nreboot")
      try daemon.until("the guest has rebooted") { try world.summary("echo").wakes == 2 }
      injection.end()
      #expect(injection.log.contains("(INJECTED)"))
      #expect(try world.status("echo").lastStop?.cause == .reboot)
      #expect(daemon.log.contains("echo: cannot thaw, retrying"))
    }
  }

  @Test("a failed restore of steering, after a self-shutdown that was aborted, is retried until it succeeds")
  func restoredLater() throws {
    try World.with { world in
      let path = world.directory + "/socket"
      try world.addTiny("echo", "ListenStream=\(path)")
      let daemon = try world.startDaemon()
      let inside = try world.connect(path)
      #expect(try inside.ask("hello") == "hello")
      let pid = try world.leader(of: "echo")
      let injection = try Injection("renameat2:error=ENOMEM:when=2..3", into: daemon.pid, of: world)
      // The guest announces a shutdown and then aborts it.
      try inside.send("notify X_SYSTEMD_UNIT_INACTIVE=sockets.target\nnotify READY=1")
      try eventually("new clients reach the guest again") { injection.log.ranges(of: "renameat2(").count == 4 }
      injection.end()
      #expect(injection.log.ranges(of: "(INJECTED)").count == 2)
      #expect(daemon.log.ranges(of: "Cannot allocate memory").count == 1)
      #expect(try world.ask(path, "again") == "again")
      #expect(try world.leader(of: "echo") == pid)
    }
  }

  /// Waits until no process of the guest runs.
  private func waitUntilAsleep(_ world: World, _ daemon: Daemon, _ place: String) throws {
    try eventually("the guest sleeps after \(place)") {
      isAsleep(daemon) && Cgroups.processes(below: world.cgroup) == [daemon.pid]
    }
  }

  private func isAsleep(_ daemon: Daemon) -> Bool {
    daemon.log.split(separator: "\n").last?.hasPrefix("echo: asleep; listening on") == true
  }

  /// Wakes a guest and lets it sleep, each time with a fault in another call, until no call is left. `judge` gets strace's line about that
  /// call, and returns the daemon that runs afterwards, with the guest asleep.
  private func forEachCall(
    _ fault: String, _ settings: String = "", _ judge: (World, Daemon, String) throws -> Daemon
  ) throws {
    var number = 1
    var isOver = false
    while !isOver {
      try World.with { world in
        // A stop of the idle guest resets its failures, so each pause is the shortest.
        try world.addTiny("echo", "ListenStream=127.0.0.1:8001", settings: "[Guest]\nIdleStopSec=100ms\n\(settings)")
        var daemon = try world.startDaemon()
        while true {
          guard let hit = try inject(fault, number, world, daemon) else {
            isOver = true
            return #expect(try world.ask("127.0.0.1:8001", "again") == "again")
          }
          let place = "\(number): \(hit)"
          number += max(1, number / 2)
          if isBeyondRepair(hit) { return }
          daemon = try judge(world, daemon, place)
        }
      }
    }
    #expect(number > 1, "\(fault): there is no such call")
  }

  /// - Returns: strace's line about the call with the fault; nil when there were fewer calls.
  private func inject(_ fault: String, _ number: Int, _ world: World, _ daemon: Daemon) throws -> Substring? {
    let call = fault.split(separator: ":")[0]
    let log = "\(world.directory)/strace-\(number)"
    let strace = try world.start(
      ["strace", "-o", log, "-e", "trace=\(call)", "-e", "inject=\(fault):when=\(number)", "-p", "\(daemon.pid)"],
      log: log)
    try eventually("strace is attached") { text(of: log + ".err").contains("attached") }
    var trouble: (any Error)?
    do {
      let before = daemon.log.ranges(of: "echo: ready after").count
      let client = try world.connect("127.0.0.1:8001")
      #expect(try client.ask("hello") == "hello")
      // A guest may answer before the daemon knows that it is ready; a client that was answered must continue to be served.
      try eventually("the guest is ready, or the daemon is killed") {
        daemon.log.ranges(of: "echo: ready after").count > before || !daemon.child.isRunning
      }
      #expect(try client.ask("still there") == "still there")
      client.close()
      try eventually("the guest sleeps, or the daemon is killed or cannot go on") {
        isAsleep(daemon) || !daemon.child.isRunning || self.hit(in: log).map(isBeyondRepair) == true
      }
    } catch {
      trouble = error
    }
    // strace ends with the daemon, and has logged by then what ended it.
    let isKilled = fault.contains("signal=") && daemon.child.wait(seconds: trouble == nil ? 0 : deadline) != nil
    if !isKilled { strace.signal(SIGINT) }
    _ = strace.wait()
    let hit = self.hit(in: log)
    if let trouble, !isKilled, hit.map(isBeyondRepair) != true {
      throw Trouble("\(fault), \(number), \(hit ?? "not hit"): \(trouble)")
    }
    return hit
  }

  /// The line in strace's log about the call with the fault.
  private func hit(in log: String) -> Substring? {
    text(of: log).split(separator: "\n").first { $0.contains("(INJECTED)") || $0.contains("killed by") }
  }

  /// Whether the fault was a failure to remove a descriptor, which the kernel never reports and sd-event cannot handle. The daemon then
  /// fails to watch the same descriptor again, so the test continues with another daemon.
  private func isBeyondRepair(_ hit: Substring) -> Bool {
    hit.contains("EPOLL_CTL_DEL") && hit.contains("(INJECTED)")
  }
}
