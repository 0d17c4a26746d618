import Glibc
import Testing

@Suite("The orphan of a killed daemon")
struct OrphanFaultTests {
  /// A call that fails, as an option of strace, and the file that it concerns: `CGROUP`, `PID` and `RUNTIME` stand for the guest's cgroup
  /// and process and the daemon's directory.
  struct Fault: CustomTestStringConvertible, Sendable {
    var call: String
    var file: String?
    var testDescription: String { "\(call) \(file ?? "")" }
  }

  static let faults = [
    Fault(call: "openat:error=EMFILE", file: "CGROUP/cgroup.events"),
    Fault(call: "openat:error=ENOMEM", file: "CGROUP/payload/cgroup.procs"),
    Fault(call: "openat:error=ENFILE", file: "/proc/PID/status"),
    Fault(call: "openat:error=EMFILE", file: "RUNTIME/echo.1.cgroup"),
    Fault(call: "fcntl:error=ENOLCK", file: "CGROUP/cgroup.kill"),
    Fault(call: "pidfd_open:error=EMFILE", file: nil),
  ]

  @Test(
    "an orphan is found and stopped as soon as the daemon can enumerate orphans; an error does not count as its absence",
    arguments: faults)
  func refused(fault: Fault) throws {
    try World.with { world in
      let pid = try leaveGuest(world)
      let next = try world.startDaemon(under: strace(fault, "1..2", world, pid))
      try next.waitForLog(Self.message)
      try next.waitForLog("found running as process \(pid)")
      try next.waitForLog("stopped (powered off)")
      try next.until("the guest sleeps") { try world.summary("echo").state == .inactive }
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
      #expect(text(of: world.directory + "/strace").ranges(of: "(INJECTED)").count == 2)
    }
  }

  @Test("an orphan whose cgroup cannot be read keeps running, also after the end of the next daemon")
  func endedMeanwhile() throws {
    try World.with { world in
      let pid = try leaveGuest(world)
      let next = try world.startDaemon(under: strace(Self.faults[0], "1+", world, pid))
      try next.waitForLog(Self.message)
      #expect(try world.dormouse("wake", "echo").errors.contains("are not known yet"))
      #expect(try world.dormouse("sleep", "echo", "--now").errors.contains("are not known yet"))
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      #expect(try next.stop() == .exited(0))
      #expect(kill(pid, 0) == 0)
      let last = try world.startDaemon()
      try last.waitForLog("found running as process \(pid)")
      try last.waitForLog("stopped (powered off)")
    }
  }

  private static let message = "cannot enumerate running guests"

  /// - Returns: process 1 of the orphan.
  private func leaveGuest(_ world: World) throws -> Int32 {
    try world.addTiny(
      "echo", "ListenStream=127.0.0.1:8001", settings: "[Exec]\nBoot=yes\nParameters=\nParameters=--ready")
    let daemon = try world.startDaemon()
    #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
    let pid = try world.leader(of: "echo")
    daemon.child.signal(SIGKILL)
    #expect(daemon.child.wait() == .killed(SIGKILL))
    return pid
  }

  /// Starts the daemon below strace, with -D, so that the started process is the daemon.
  private func strace(_ fault: Fault, _ calls: String, _ world: World, _ pid: Int32) -> [String] {
    let file = fault.file?.replacing("CGROUP", with: world.cgroup(of: "echo")).replacing("PID", with: "\(pid)")
      .replacing("RUNTIME", with: world.runtime)
    let trace = "trace=\(fault.call.split(separator: ":")[0])"
    return ["strace", "-D", "-o", world.directory + "/strace", "-e", trace, "-e", "inject=\(fault.call):when=\(calls)"]
      + (file.map { ["-P", $0] } ?? [])
  }
}
