import CLinux
import Glibc
import Testing

@testable import Linux

@Suite("Cgroup 2")
struct CgroupTests {
  private static let hybrid = """
    31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
    35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
    41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw

    """
  private static let pure = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
  private static let part = "30 23 0:26 /machine/a /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n"

  @Test(
    "the cgroup of this process is found below the mount of cgroup 2, wherever and whatever part of it is mounted",
    arguments: [
      (hybrid, "4:memory:/x\n0::/\n", "/sys/fs/cgroup/unified"),
      (hybrid, "4:memory:/x\n0::/a/b\n", "/sys/fs/cgroup/unified/a/b"),
      (
        pure, "0::/system.slice/dormouse.service/supervisor\n",
        "/sys/fs/cgroup/system.slice/dormouse.service/supervisor"
      ),
      (pure, "0::/\n", "/sys/fs/cgroup"),
      (part, "0::/machine/a/b\n", "/sys/fs/cgroup/b"),
      (part, "0::/machine/a\n", "/sys/fs/cgroup"),
    ])
  func found(mounts: String, groups: String, directory: String) {
    #expect(Cgroup2.directory(groups: groups, mounts: MountInfo.parse(mounts)) == directory)
  }

  @Test(
    "no cgroup is found without a mount of cgroup 2, with a mount of another part of it, or outside of the cgroup namespace",
    arguments: [
      (hybrid, "4:memory:/x\n"), ("", "0::/\n"), (part, "0::/machine/ab\n"), (part, "0::/\n"),
      (pure, "0::/..\n"), (pure, "0::/../../b\n"),
    ])
  func missing(mounts: String, groups: String) {
    #expect(Cgroup2.directory(groups: groups, mounts: MountInfo.parse(mounts)) == nil)
  }

  @Test("the cgroup of this process lists its processes")
  func own() throws {
    let directory = try Cgroup2.ownDirectory()
    #expect(try Cgroup2.processes(directory).isEmpty == false)
    #expect(throws: SystemError.self) { try Cgroup2.processes(directory + "/no-such-cgroup") }
  }

  @Test("a tree of cgroups is listed from its leaves up")
  func tree() throws {
    let top = try Cgroup2.ownDirectory() + "/test-tree-\(getpid())"
    let all = [top, top + "/a", top + "/a/b"]
    for group in all { mkdir(group, 0o755) }
    defer { for group in all.reversed() { rmdir(group) } }
    #expect(try Cgroup2.tree(top) == all.reversed())
    #expect(try Cgroup2.isPopulated(top) == false)
    #expect(throws: SystemError("write \(top)/cgroup.kill", errno: ERANGE)) {
      try Cgroup2.write("2", to: Cgroup2.open(top + "/cgroup.kill", O_WRONLY), top + "/cgroup.kill")
    }
  }

  @Test("a cgroup is delegated when the service manager has marked it as delegated")
  func delegated() throws {
    let group = try Cgroup2.ownDirectory() + "/test-delegated-\(getpid())"
    try retrying("mkdir") { mkdir(group, 0o755) }
    defer { rmdir(group) }
    #expect(Cgroup2.isDelegated(group) == nil)
    #expect(setxattr(group, "user.delegate", "0", 1, 0) == 0)
    #expect(Cgroup2.isDelegated(group) == false)
    #expect(setxattr(group, "trusted.delegate", "1", 1, 0) == 0)
    #expect(Cgroup2.isDelegated(group) == true)
  }

  @Test("a cgroup offers the controllers that its parent enables, and enabling skips a controller that does not exist")
  func controllers() throws {
    let group = try Cgroup2.ownDirectory() + "/test-controllers-\(getpid())"
    try retrying("mkdir") { mkdir(group, 0o755) }
    defer { rmdir(group) }
    // Other tests may enable some meanwhile.
    #expect(
      try comesTrue { () throws(SystemError) in
        try Cgroup2.controllers(of: group) == Cgroup2.controllers(below: Cgroup2.ownDirectory())
      })
    try Cgroup2.enable(["no-such-controller"], in: group)
    #expect(try Cgroup2.controllers(below: group) == [])
    #expect(throws: SystemError.self) { try Cgroup2.enable(["memory"], in: group + "/none") }
  }
}
