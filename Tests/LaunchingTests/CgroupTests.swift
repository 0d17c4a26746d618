import Glibc
import Launching
import Linux
import Planning
import Testing

@Suite("The cgroup of a guest")
struct CgroupTests {
  /// A name that no other test has.
  private func name(_ line: Int = #line) -> String { "test-cgroup-\(getpid())-\(line)" }

  @Test("is made below the daemon's own, is listed there, and goes with all that is below it")
  func life() throws {
    let name = name()
    let base = try GuestCgroup.base()
    let cgroup = try GuestCgroup(making: name, in: base)
    #expect(cgroup.path == "\(base)/\(name).guest")
    #expect(try GuestCgroup.guests(in: base).contains(name))
    mkdir(cgroup.path + "/system.slice", 0o755)
    mkdir(cgroup.path + "/system.slice/a.service", 0o755)
    #expect(try cgroup.processes() == [])
    #expect(try cgroup.leader() == nil)
    try cgroup.remove()
    #expect(try GuestCgroup.guests(in: base).contains(name) == false)
    try cgroup.remove()
    #expect(throws: SystemError.self) { try GuestCgroup(existing: name, in: base) }
  }

  @Test("one left over without processes is made anew")
  func leftOver() throws {
    let name = name()
    let base = try GuestCgroup.base()
    let old = try GuestCgroup(making: name, in: base)
    mkdir(old.path + "/init.scope", 0o755)
    let new = try GuestCgroup(making: name, in: base)
    #expect(access(new.path + "/init.scope", F_OK) == -1)
    try new.remove()
  }

  @Test("one with processes is neither made anew nor removed, but found")
  func populated() throws {
    let guest = try TestGuest()
    let spec = guest.shell(
      "mkdir /sys/fs/cgroup/in; sleep 1000 & echo $! >/sys/fs/cgroup/in/cgroup.procs; echo up; wait")
    let process = try guest.launch(plan(spec, guest.facts(for: spec)))
    TestGuest.wait(try #require(process.console), POLLIN, milliseconds: 10_000)
    let base = try GuestCgroup.base()
    let error = try #require(throws: SystemError.self) { try GuestCgroup(making: guest.name, in: base) }
    #expect(error.errno == EBUSY)
    let found = try GuestCgroup(existing: guest.name, in: base)
    #expect(try found.processes().count == 2)
    #expect(try found.leader() == process.pid)
  }
}
