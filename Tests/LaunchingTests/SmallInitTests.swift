import Glibc
import GuestSpec
import Launching
import Linux
import Planning
import Testing

@Suite("The small init of ProcessTwo=", .serialized)
struct SmallInitTests {
  /// With a user namespace PID 1 is made in another way.
  private static let users = [nil, IDMap(base: 0x3000_0000, count: 65536)]

  private func plan(_ spec: Guest, _ guest: TestGuest, _ users: IDMap?, _ names: [String] = []) throws -> LaunchPlan {
    var facts = try guest.facts(for: spec)
    facts.users = users.map { GuestUsers($0, root: .tree) }
    facts.listenerNames = names
    return try Planning.plan(spec, facts)
  }

  private func shell(_ guest: TestGuest, _ command: String) -> Guest {
    var spec = guest.shell(command)
    spec.exec.processTwo = true
    return spec
  }

  /// Launches the guest and waits until it has printed a line.
  private func launched(_ guest: TestGuest, _ spec: Guest, _ users: IDMap? = nil) throws -> GuestProcess {
    let process = try guest.launch(plan(spec, guest, users))
    var byte: UInt8 = 0
    repeat {
      TestGuest.wait(try #require(process.console), POLLIN, milliseconds: 60_000)
    } while read(
      try #require(process.console), &byte, 1) == 1 && byte != 10
    return process
  }

  private func end(of process: GuestProcess) throws -> Linux.ExitStatus? {
    #expect(TestGuest.wait(process.pidfd.raw, POLLIN, milliseconds: 60_000))
    return try process.reap()
  }

  @Test(
    "the small init is PID 1 without the listeners and without the daemon's memory, and the payload is PID 2 with the listeners",
    arguments: users)
  func processes(users: IDMap?) throws {
    let guest = try TestGuest()
    let list = DescriptorList()
    list.append(
      OwnedFD(owning: socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)))
    let spec = shell(
      guest,
      """
      echo $$ $LISTEN_PID $LISTEN_FDS $(ls /proc/2/fd | head -4 | xargs), $(ls /proc/1/fd | xargs)
      cat /proc/1/comm; tr '\\0' ' ' </proc/1/cmdline; tr '\\0' ' ' </proc/1/environ; echo
      grep -c rw-p /proc/1/maps; ps -o sid= -p 2; grep Seccomp: /proc/1/status; grep -E 'Seccomp:|SigBlk' /proc/self/status
      """)
    let text = try guest.output(of: plan(spec, guest, users, ["one"]), listeners: list)
    #expect(
      text == """
        2 2 1 0 1 2 3, 0 1 2
        dormouse-init
        dormouse-init 90 container=dormouse container_uuid=01234567-89ab-cdef-0123-456789abcdef \

        1
              2
        Seccomp:\t2
        SigBlk:\t0000000000000000
        Seccomp:\t2

        """)
  }

  @Test("the small init reaps processes that are reparented to it", arguments: users)
  func orphans(users: IDMap?) throws {
    let guest = try TestGuest()
    let spec = shell(
      guest,
      """
      for n in 1 2 3; do sh -c '(exit 3) & exec true'; done
      while grep -q '^State:.Z' /proc/[0-9]*/status 2>/dev/null; do :; done; echo none
      """)
    #expect(try guest.output(of: plan(spec, guest, users)) == "none\n")
  }

  @Test(
    "the small init ends with the payload's exit status",
    arguments: [("exit 7", 7), ("exit 0", 0), ("kill -KILL $$", 137)])
  func status(command: String, status: Int32) throws {
    let guest = try TestGuest()
    let process = try launched(guest, shell(guest, "echo up; " + command))
    #expect(try end(of: process) == .exited(status))
  }

  /// Each stop signal, and the signal that PID 1 then dies of by reboot(2): SIGINT for power-off, SIGHUP for a reboot.
  static let signals: [(Signal, Int32)] =
    Signal.stopsOfSystemd.map {
      ($0, [.realtime(3), .realtime(4), .realtime(13), .realtime(14)].contains($0) ? SIGINT : SIGHUP)
    }
    + [(.number(SIGINT), SIGHUP)]

  @Test(
    "the small init obeys systemd's signals for power-off and reboot, and a payload that handles SIGTERM ends in its own way",
    arguments: signals)
  func told(signal: Signal, cause: Int32) throws {
    let guest = try TestGuest()
    let spec = shell(guest, "trap 'sleep 0; echo told; exit 5' TERM; echo up; while :; do sleep 1000 & wait; done")
    let process = try launched(guest, spec, Self.users[1])
    for other in [SIGTERM, SIGHUP, SIGUSR1] { try process.signal(.number(other)) }
    try process.signal(signal)
    #expect(try TestGuest.drain(process) == "told\n")
    #expect(try end(of: process) == .killed(signal: cause))
  }

  @Test("the small init continues a stopped payload, and sends SIGHUP to a shell that ignores SIGTERM")
  func stubborn() throws {
    let guest = try TestGuest()
    let spec = shell(
      guest, "trap '' TERM; trap 'exit 0' HUP; echo up; kill -STOP $$; while :; do sleep 1000 & wait; done")
    let process = try launched(guest, spec)
    let stat = "/proc/\(process.payloadPID)/stat"
    while try !String(decoding: readFile(stat, limit: 4096), as: UTF8.self).contains(") T ") { sched_yield() }
    try process.signal(.realtime(3))
    #expect(try end(of: process) == .killed(signal: SIGINT))
  }

  @Test(
    "the small init waits for a payload no longer than TimeoutStopSec=, and powers off without CAP_SYS_BOOT by exiting")
  func limits() throws {
    let guest = try TestGuest()
    var spec = shell(guest, "trap '' TERM HUP; echo up; while :; do sleep 1000; done")
    spec.policy.timeoutStop = .seconds(1)
    let patient = try launched(guest, spec)
    try patient.signal(.realtime(4))
    #expect(try end(of: patient) == .killed(signal: SIGINT))
    guest.end()

    let other = try TestGuest()
    spec = shell(other, "echo up; exec sleep 1000")
    spec.exec.process.user = "4242"
    let process = try launched(other, spec)
    try process.signal(.realtime(3))
    #expect(try end(of: process) == .exited(0))
  }

  @Test("a guest cannot change the small init of the next guest")
  func sealed() throws {
    let guest = try TestGuest()
    let spec = shell(guest, "(echo x >/proc/1/exe) 2>/dev/null || echo refused")
    #expect(try guest.output(of: plan(spec, guest, nil)) == "refused\n")
  }

  @Test("the small init is killed when the payload cannot be executed", arguments: users)
  func missing(users: IDMap?) throws {
    let guest = try TestGuest()
    var spec = shell(guest, "")
    spec.exec.parameters = ["/none"]
    let error = try #require(throws: LaunchError.self) { try guest.launch(plan(spec, guest, users)) }
    #expect(error.description == "executing /none: No such file or directory")
    #expect(try guest.cgroup.isPopulated() == false)
  }
}
