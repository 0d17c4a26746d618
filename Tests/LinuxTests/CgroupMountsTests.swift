import Testing

@testable import Linux

@Suite("The mounts of cgroup 2")
struct CgroupMountsTests {
  @Test("the table of all mounts is read once, and again only when a mount of cgroup 2 is gone")
  func reads() throws {
    let text = """
      22 1 0:20 / / rw - ext4 /dev/vda rw
      25 22 0:22 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw
      """
    var (reads, gone) = (0, false)
    var mounts = CgroupMounts()
    func targets() throws -> [String] {
      try mounts.entries(
        isThere: { _ in !gone },
        read: { () throws(SystemError) in
          reads += 1
          return MountInfo.parse(text)
        }
      ).map(\.target)
    }
    for _ in 1...3 { #expect(try targets() == ["/sys/fs/cgroup"]) }
    #expect(reads == 1)
    gone = true
    #expect(try targets() == ["/sys/fs/cgroup"])
    #expect(reads == 2)
  }

  @Test("a table without cgroup 2 is read again, because it may be mounted later")
  func none() throws {
    var reads = 0
    var mounts = CgroupMounts()
    for _ in 1...2 {
      let found = try mounts.entries(
        isThere: { _ in true },
        read: { () throws(SystemError) in
          reads += 1
          return []
        })
      #expect(found == [])
    }
    #expect(reads == 2)
  }

  @Test("a mount point is known without a look at the other mounts")
  func mountPoint() {
    #expect(isMountPoint("/proc"))
    #expect(!isMountPoint("/proc/self"))
    #expect(!isMountPoint("/nonexistent"))
  }
}
