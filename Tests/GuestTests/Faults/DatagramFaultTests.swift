import ControlProtocol
import Glibc
import Testing

@Suite("Parked datagrams")
struct DatagramFaultTests {
  private static let address = "127.0.0.1:8004"

  @Test("parked datagrams are sent again when the kernel at first has no memory for one")
  func sentAgain() throws {
    try World.with { world in
      let (daemon, pid) = try startHalting(world)
      let senders = try send(5, world)
      let strace = try world.attachStrace("sendmsg:error=ENOBUFS:when=1+2", to: daemon)
      kill(pid, SIGKILL)
      for sender in senders { #expect(try sender.line() == "hello") }
      try strace.end()
      #expect(strace.injected >= 5)
      let counters = try world.status("echo").counters
      #expect(counters.lost.isEmpty)
      #expect(counters[.parked] >= 5)
    }
  }

  @Test("datagrams that cannot be received at the standby stay there for the next instance and are not counted as lost")
  func notTaken() throws {
    try World.with { world in
      let (daemon, pid) = try startHalting(world)
      let senders = try send(3, world)
      let strace = try world.attachStrace("recvmsg:error=ENOMEM", to: daemon)
      kill(pid, SIGKILL)
      try daemon.waitForLog("cannot unpark clients, retrying: recvmsg: Cannot allocate memory")
      try daemon.waitForLog("pausing for")
      try strace.end()
      for sender in senders { #expect(try sender.line() == "hello") }
      #expect(try world.status("echo").counters.lost.isEmpty)
    }
  }

  @Test("datagrams that were drained from a stopping guest and cannot be sent are counted as lost")
  func counted() throws {
    try World.with { world in
      try addGuest(world)
      let daemon = try world.startDaemon()
      try world.wake("echo")
      try stop(try world.leader(of: "echo"))
      let senders = try send(3, world)
      let strace = try world.attachStrace("sendmsg:error=ENOMEM", to: daemon)
      _ = try world.start([Built.dormouse, "sleep", "echo", "--now", "--runtime", world.runtime])
      try daemon.waitForLog("(SIGTERM)")
      try strace.end()
      let lost = try world.status("echo").counters.lost
      #expect(lost.map(\.reason) == [.notUnparked])
      #expect(lost.map(\.count) == [3])
      withExtendedLifetime(senders) {}
    }
  }

  private func addGuest(_ world: World) throws {
    try world.addTiny("echo", "ListenDatagram=\(Self.address)", arguments: ["--ready", "--stop=ignore"])
  }

  /// Starts a guest that ignores its stop signal, so that its datagrams are parked.
  private func startHalting(_ world: World) throws -> (Daemon, Int32) {
    try addGuest(world)
    let daemon = try world.startDaemon()
    try world.wake("echo")
    let pid = try world.leader(of: "echo")
    _ = try world.start([Built.dormouse, "sleep", "echo", "--now", "--runtime", world.runtime])
    try daemon.waitForLog("(SIGTERM)")
    return (daemon, pid)
  }

  private func send(_ count: Int, _ world: World) throws -> [Connection] {
    try (0..<count).map { _ in
      let sender = try world.datagrams(to: Self.address)
      try sender.send("hello")
      return sender
    }
  }
}

/// Makes system calls of a running daemon fail by strace, until `end`.
private struct AttachedStrace {
  fileprivate let child: Child
  fileprivate let log: String

  var injected: Int { text(of: log).ranges(of: "(INJECTED)").count }

  func end() throws {
    child.signal(SIGINT)
    _ = child.wait()
    #expect(injected > 0)
  }
}

extension World {
  fileprivate func attachStrace(_ fault: String, to daemon: Daemon) throws -> AttachedStrace {
    let log = directory + "/strace"
    let call = fault.split(separator: ":")[0]
    let child = try start(
      ["strace", "-o", log, "-e", "trace=\(call)", "-e", "inject=\(fault)", "-p", "\(daemon.pid)"], log: log)
    try eventually("strace is attached") { text(of: log + ".err").contains("attached") }
    return AttachedStrace(child: child, log: log)
  }
}
