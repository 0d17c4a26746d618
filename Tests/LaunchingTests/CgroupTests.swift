import Glibc
import GuestSpec
import Linux
import Planning
import Testing

@testable import Launching

@Suite("The cgroup of a guest")
struct CgroupTests {
  /// A name that no other test uses.
  private func name(_ line: Int = #line) -> InstanceName { InstanceName("test-cgroup-\(getpid())-\(line)", 1) }

  @Test("a guest's cgroup is made below the daemon's own, is listed there, and is removed with all cgroups below it")
  func life() throws {
    let name = name()
    let base = try CgroupBase.find().path
    let cgroup = try GuestCgroup(making: name, in: base)
    #expect(cgroup.path == "\(base)/\(name.guest).1.guest")
    #expect(try GuestCgroup.instances(in: base).contains(name))
    mkdir(cgroup.path + "/system.slice", 0o755)
    mkdir(cgroup.path + "/system.slice/a.service", 0o755)
    #expect(try cgroup.processes() == [])
    #expect(try cgroup.leader() == nil)
    try cgroup.remove()
    #expect(try GuestCgroup.instances(in: base).contains(name) == false)
    try cgroup.remove()
    #expect(throws: SystemError.self) { try GuestCgroup(existing: name, in: base) }
  }

  @Test("a cgroup that exists without processes is replaced by a new one")
  func leftOver() throws {
    let name = name()
    let base = try CgroupBase.find().path
    let old = try GuestCgroup(making: name, in: base)
    mkdir(old.path + "/init.scope", 0o755)
    let new = try GuestCgroup(making: name, in: base)
    #expect(access(new.path + "/init.scope", F_OK) == -1)
    try new.remove()
  }

  @Test("a cgroup that was killed is never used again: a guest in one of that name runs")
  func killed() throws {
    // Since Linux 6.14 a process that clone3(2) makes in a cgroup that was killed is killed too.
    let guest = try TestGuest()
    let before = try [guest.cgroup.path, guest.cgroup.payloadPath].map { try inode(of: $0) }
    try guest.cgroup.kill()
    let made = try GuestCgroup(making: guest.cgroup.name, in: CgroupBase.find().path)
    #expect(try [made.path, made.payloadPath].map { try inode(of: $0) } != before)
    let spec = guest.shell("echo runs")
    let process = try start(
      plan(spec, guest.facts(for: spec)), listeners: DescriptorList(),
      namespaces: GuestNamespaces(users: nil, network: .host), handed: HandedMounts(), cgroup: made)
    #expect(try TestGuest.drain(process) == "runs\n")
    TestGuest.wait(process.pidfd.raw, POLLIN, milliseconds: 60_000)
    #expect(try process.reap() == .exited(0))
  }

  private func inode(of path: String) throws -> UInt64 {
    var status = stat()
    try retrying("stat \(path)") { stat(path, &status) }
    return UInt64(status.st_ino)
  }

  @Test("the cgroups that ended instances of a guest left are removed, and no other guest's")
  func ended() throws {
    let name = name()
    let base = try CgroupBase.find().path
    let other = try GuestCgroup(making: InstanceName(name.guest + ".x", 1), in: base)
    for number in 1...3 as ClosedRange<UInt32> {
      let old = try GuestCgroup(making: InstanceName(name.guest, number), in: base)
      mkdir(old.path + "/payload/init.scope", 0o755)
    }
    try GuestCgroup.removeEnded(of: name.guest, in: base)
    let left = try GuestCgroup.instances(in: base)
    #expect(!left.contains { $0.guest == name.guest })
    #expect(left.contains(other.name))
    try other.remove()
  }

  @Test("a guest's cgroup is removed even with many cgroups in it, and with cgroups nested deeper than PATH_MAX")
  func deep() throws {
    let base = try CgroupBase.find().path
    let cgroup = try GuestCgroup(making: name(), in: base)
    for number in 0..<100 { mkdir("\(cgroup.path)/\(number)", 0o755) }
    let long = String(repeating: "x", count: Int(NAME_MAX))
    var deepest = OwnedFD(owning: try retrying("open") { open(cgroup.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
    for _ in 0..<16 {
      let raw = deepest.raw
      try retrying("mkdirat") { mkdirat(raw, long, 0o755) }
      deepest = OwnedFD(owning: try retrying("openat") { openat(raw, long, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
    }
    try cgroup.remove()
    #expect(access(cgroup.path, F_OK) == -1)
  }

  @Test("a guest's cgroup takes 1000 cgroups below it, 16 levels deep, and no more")
  func bounded() throws {
    let cgroup = try GuestCgroup(making: name(), in: CgroupBase.find().path)
    defer { try? cgroup.remove() }
    var path = cgroup.path + "/payload"
    for _ in 1..<16 {
      path += "/x"
      try retrying("mkdir") { mkdir(path, 0o755) }
    }
    #expect(mkdir(path + "/x", 0o755) == -1 && errno == EAGAIN)
    // The payload and the 15 below it count.
    for number in 16..<1000 { try retrying("mkdir") { mkdir("\(cgroup.path)/payload/\(number)", 0o755) } }
    #expect(mkdir(cgroup.path + "/payload/more", 0o755) == -1 && errno == EAGAIN)
  }

  @Test("a cgroup with processes is neither replaced nor removed, and its PID 1 is found")
  func populated() throws {
    let guest = try TestGuest()
    let spec = guest.shell(
      "mkdir /sys/fs/cgroup/in; sleep 1000 & echo $! >/sys/fs/cgroup/in/cgroup.procs; echo up; wait")
    let process = try guest.launch(plan(spec, guest.facts(for: spec)))
    TestGuest.wait(try #require(process.console), POLLIN, milliseconds: 60_000)
    let base = try CgroupBase.find().path
    let error = try #require(throws: SystemError.self) { try GuestCgroup(making: guest.cgroup.name, in: base) }
    #expect(error.errno == EBUSY)
    let again = try #require(throws: SystemError.self) { try GuestCgroup.removeEnded(of: guest.name, in: base) }
    #expect(again.errno == EBUSY)
    let found = try GuestCgroup(existing: guest.cgroup.name, in: base)
    #expect(try found.processes().count == 2)
    #expect(try found.leader() == process.pid)
  }

  @Test("the payload cgroup with its delegatable files belongs to the guest's root user, and nothing else does")
  func delegation() throws {
    let cgroup = try GuestCgroup(making: name(), in: CgroupBase.find().path)
    defer { try? cgroup.remove() }
    try cgroup.delegate(toUser: 700_000, group: 700_001)
    #expect(owner(cgroup.path + "/payload") == [700_000, 700_001])
    let given = try directoryEntries(cgroup.path + "/payload").filter {
      owner("\(cgroup.path)/payload/\($0)") != [0, 0]
    }
    let named = try readFile("/sys/kernel/cgroup/delegate", limit: 4096)
    let delegable = Set(String(decoding: named, as: UTF8.self).split(separator: "\n").map(String.init))
    #expect(Set(given).isSuperset(of: ["cgroup.procs", "cgroup.threads", "cgroup.subtree_control"]))
    #expect(delegable.isSuperset(of: given))
    #expect(owner(cgroup.path) == [0, 0])
    for file in try directoryEntries(cgroup.path) where file != "payload" {
      #expect(owner("\(cgroup.path)/\(file)") == [0, 0])
    }
  }

  @Test("a cgroup with processes keeps the empty cgroups below it when one of the same name is to be made")
  func kept() throws {
    let guest = try TestGuest()
    let process = try guest.launch(plan(guest.shell("echo up; read x"), guest.facts(for: guest.shell(""))))
    TestGuest.wait(try #require(process.console), POLLIN, milliseconds: 60_000)
    mkdir(guest.cgroup.path + "/payload/empty", 0o755)
    let base = try CgroupBase.find().path
    let error = try #require(throws: SystemError.self) { try GuestCgroup(making: guest.cgroup.name, in: base) }
    #expect(error.errno == EBUSY)
    #expect(access(guest.cgroup.path + "/payload/empty", F_OK) == 0)
  }

  private func owner(_ path: String) -> [UInt32] {
    var status = stat()
    return lstat(path, &status) == 0 ? [status.st_uid, status.st_gid] : []
  }
}
