import Glibc
import GuestSpec
import Launching
import Linux
import Planning
import Testing

@Suite("PID 1 as the daemon sees it")
struct ProcessTests {
  @Test("PID 1 runs until it ends, and its exit status is returned once")
  func exits() throws {
    let guest = try TestGuest()
    let spec = guest.shell("read line; exit 7")
    let process = try guest.launch(plan(spec, guest.facts(for: spec)))
    #expect(try process.reap() == nil)
    #expect(try guest.cgroup.leader() == process.pid)
    write(try #require(process.console), "\n", 1)
    #expect(TestGuest.wait(process.pidfd.raw, POLLIN, milliseconds: 60_000))
    #expect(try process.reap() == .exited(7))
    #expect(throws: SystemError.self) { try process.signal(.sigterm) }
  }

  @Test("PID 1 ignores a signal that it has no handler for, and cgroup.kill ends it")
  func killed() throws {
    let guest = try TestGuest()
    let spec = guest.shell("echo up; while :; do sleep 1000; done")
    let process = try guest.launch(plan(spec, guest.facts(for: spec)))
    TestGuest.wait(try #require(process.console), POLLIN, milliseconds: 60_000)
    try process.signal(.sigterm)
    #expect(try process.reap() == nil)
    #expect(try guest.cgroup.isPopulated())
    try guest.cgroup.kill()
    while try guest.cgroup.isPopulated() {
      #expect(TestGuest.wait(guest.cgroup.changes.raw, POLLPRI, milliseconds: 60_000))
    }
    #expect(TestGuest.wait(process.pidfd.raw, POLLIN, milliseconds: 60_000))
    #expect(try process.reap() == .killed(signal: SIGKILL))
  }

  @Test(
    "a stop signal that is sent at once stays pending across execve(2) for a systemd", arguments: [3, 4, 5] as [Int32])
  func pending(offset: Int32) throws {
    let guest = try TestGuest()
    var spec = Guest(name: guest.name)
    spec.policy.directory = "/"
    spec.files.volatile = .yes
    var plan = try plan(spec, guest.facts(for: spec))
    // The plan of a booting guest, with a program that shows what an init would find. A shell would clear its signal mask.
    plan.steps[plan.steps.count - 1] = .execute(candidates: ["/bin/cat"], namesItself: false)
    plan.arguments = ["cat", "-", "/proc/self/status"]
    let process = try guest.launch(plan)
    try process.signal(.realtime(offset))
    // ^D, which a terminal turns into end of file.
    write(try #require(process.console), "\u{4}", 1)
    let text = try TestGuest.drain(process)
    let line = text.split(separator: "\n").first { $0.hasPrefix("ShdPnd:\t") }
    let value = line.flatMap { UInt64($0.dropFirst("ShdPnd:\t".count), radix: 16) }
    let bit = UInt64(__libc_current_sigrtmin() + offset - 1)
    #expect(value.map { $0 >> bit & 1 } == 1, "\(text)")
  }

  @Test("a signal that the daemon ignores is not ignored in the guest")
  func dispositions() throws {
    let before = signal(SIGUSR2, SIG_IGN)
    defer { signal(SIGUSR2, before) }
    #expect(try TestGuest().output(of: "grep ^SigIgn /proc/1/status") == "SigIgn:\t0000000000000000\n")
  }

  @Test("guests that share the daemon's memory until execve(2) are launched while another thread is busy")
  func threads() async {
    await withTaskGroup { group in
      group.addTask {
        var kept: [[Int]] = []
        while !Task.isCancelled { kept = kept.count > 100 ? [] : kept + [Array(0..<1000)] }
      }
      for number in 0..<10 {
        #expect(throws: Never.self) {
          let text = try TestGuest().output(of: "echo \(number)")
          #expect(text == "\(number)\n")
        }
      }
      group.cancelAll()
    }
  }

  @Test("a PID 1 of an earlier daemon is adopted, signalled by its pidfd, and its end is reported")
  func adopts() throws {
    // The shell ends, so its child is reparented and is not a child of this process.
    guard let pipe = popen("sleep 1000 >/dev/null & echo $!", "r") else { throw SystemError("popen", errno: errno) }
    var line = [CChar](repeating: 0, count: 64)
    fgets(&line, 64, pipe)
    pclose(pipe)
    let text = String(decoding: line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let process = try GuestProcess(adopting: #require(Int32(text)), of: TestGuest().cgroup)
    #expect(process.console == nil)
    #expect(try process.reap() == nil)
    // Threads of libdispatch block every signal that can be blocked, and the child of popen(3) inherits the mask.
    try process.signal(.number(SIGKILL))
    #expect(TestGuest.wait(process.pidfd.raw, POLLIN, milliseconds: 60_000))
    let status = try process.reap()
    #expect(status == .killed(signal: SIGKILL) || status == .unknown)
  }
}
