import Glibc
import GuestSpec
import Launching
import Linux
import Planning
import Testing

@Suite("The hold callback of a launch", .serialized)
struct HoldTests {
  /// The ways in which PID 1 is made.
  private static let ways = [(users: false, init: false), (true, false), (false, true), (true, true)]

  private func plan(_ guest: TestGuest, users: Bool, init hasInit: Bool) throws -> LaunchPlan {
    var spec = guest.shell("echo executed; exec sleep 1000")
    spec.exec.processTwo = hasInit
    var facts = try guest.facts(for: spec)
    if users { facts.users = GuestUsers(IDMap(base: 0x3001_0000, count: 65536), root: .tree) }
    return try Planning.plan(spec, facts)
  }

  @Test(
    "a launch calls hold before the payload executes, and if hold throws, the payload never executes and no process is left",
    arguments: ways)
  func refused(users: Bool, hasInit: Bool) throws {
    let guest = try TestGuest()
    let plan = try plan(guest, users: users, init: hasInit)
    let own = try readLink("/proc/self/exe")
    var held: Int32 = 0
    var console: Int32 = -1
    let error = try #require(throws: LaunchError.self) {
      try guest.launch(plan) { process throws(SystemError) in
        held = process.pid
        #expect((process.payloadPID != held) == hasInit)
        // Until it executes, it shares the daemon's memory.
        #expect(try readLink("/proc/\(process.payloadPID)/exe") == own)
        // The duplicate can be read after the process has ended.
        console = process.console.map { fcntl($0, F_DUPFD_CLOEXEC, 0) } ?? -1
        throw SystemError("epoll_ctl", errno: ENOSPC)
      }
    }
    defer { close(console) }
    #expect(error.description == "taking control of the guest's PID 1 (epoll_ctl): No space left on device")
    var byte: UInt8 = 0
    #expect(read(console, &byte, 1) != 1)
    // Not even a zombie is left, so the cgroup can be removed.
    #expect(kill(held, 0) == -1 && errno == ESRCH)
    #expect(try guest.cgroup.isPopulated() == false)
    try guest.cgroup.remove()
  }

  @Test("the payload executes after hold has taken its time at the sync point", arguments: ways)
  func had(users: Bool, hasInit: Bool) throws {
    let guest = try TestGuest()
    let process = try guest.launch(plan(guest, users: users, init: hasInit)) { _ in usleep(50_000) }
    var bytes = [UInt8](repeating: 0, count: 8)
    TestGuest.wait(try #require(process.console), POLLIN, milliseconds: 60_000)
    #expect(read(try #require(process.console), &bytes, 8) == 8)
    #expect(bytes == Array("executed".utf8))
  }

  @Test(
    "the launch of a guest that is killed at the sync point succeeds, and the guest's end is reported like any other")
  func killed() throws {
    let guest = try TestGuest()
    let process = try guest.launch(plan(guest, users: false, init: false)) { kill($0.pid, SIGKILL) }
    #expect(TestGuest.wait(process.pidfd.raw, POLLIN, milliseconds: 60_000))
    #expect(try process.reap() == .killed(signal: SIGKILL))
  }
}
