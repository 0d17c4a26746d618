import ControlProtocol
import Glibc
import Testing

/// What strace does to one call that the daemon makes in the course of a wake and a stop: to each of the first, then to ever fewer
/// (there are hundreds of some) until there are no more. `make faults` goes on with calls of each kind under load.
@Suite("A system call")
struct InjectionFaultTests {
  @Test(
    "that fails once costs a pause and no more: who waits is served, and nothing is left behind",
    arguments: [
      "openat:error=ENFILE", "epoll_ctl:error=ENOSPC", "mkdir:error=ENOSPC", "readlink:error=ENOMEM",
      "clone3:error=EAGAIN", "socket:error=ENOBUFS", "recvmsg:error=ENOMEM",
    ])
  func fails(fault: String) throws {
    try forEachCall(fault) { world, daemon, hit in
      // The kernel never refuses to forget a descriptor, and sd-event has no answer to it.
      if hit.contains("EPOLL_CTL_DEL") { return }
      #expect(daemon.child.isRunning)
      try world.sleep("echo")
      try world.wait("echo", .inactive)
      #expect(Cgroups.processes(below: world.cgroup) == [daemon.pid])
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
    }
  }

  @Test(
    "in which the daemon is killed leaves nothing that the next one does not find",
    arguments: ["mkdir", "rename", "clone3", "epoll_ctl", "close", "rmdir", "unlink", "pidfd_send_signal"])
  func kills(call: String) throws {
    try forEachCall(call + ":signal=SIGKILL") { world, daemon, hit in
      #expect(daemon.child.wait() == .killed(SIGKILL), "\(hit)")
      let next = try world.startDaemon()
      try world.wait("echo", .inactive)
      #expect(Cgroups.processes(below: world.cgroup) == [next.pid], "\(hit)")
      #expect(access(world.cgroup(of: "echo"), F_OK) != 0, "\(hit)")
      #expect(access(world.note(of: "echo"), F_OK) != 0, "\(hit)")
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
    }
  }

  /// Wakes a guest and puts it to sleep, each time in a new world, with a fault in another call; `judge` gets what strace said of
  /// that call.
  private func forEachCall(_ fault: String, _ judge: (World, Daemon, String) throws -> Void) throws {
    let call = fault.split(separator: ":")[0]
    var number = 1
    var wasHit = true
    while wasHit {
      try World.with { world in
        try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
        let daemon = try world.startDaemon()
        let log = world.directory + "/strace"
        let strace = try world.start(
          [
            "strace", "-o", log, "-e", "trace=\(call)", "-e", "inject=\(fault):when=\(number)", "-p", "\(daemon.pid)",
          ], log: log)
        try daemon.until("strace is there") { text(of: log + ".err").contains("attached") }
        try use(world, mayEnd: fault.contains("signal="))
        strace.signal(SIGINT)
        _ = strace.wait()
        let lines = text(of: log).split(separator: "\n")
        let hit = lines.first { $0.contains("(INJECTED)") || $0.contains("killed by") }
        wasHit = hit != nil
        if let hit { try judge(world, daemon, "\(number): \(hit)") }
      }
      number += max(1, number / 2)
    }
    #expect(number > 2, "\(call) is never called")
  }

  private func use(_ world: World, mayEnd: Bool) throws {
    do {
      let client = try world.connect("127.0.0.1:8001")
      try client.send("hello")
      let answer = try client.line()
      #expect(mayEnd || answer == "hello")
      _ = try world.dormouse("sleep", "echo", "--now")
    } catch {
      if !mayEnd { throw error }
    }
  }
}
