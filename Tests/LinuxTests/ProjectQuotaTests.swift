import Glibc
import Linux
import Testing

@Suite("Project quota")
struct ProjectQuotaTests {
  @Test("a file system without project quota is told from one that keeps limits, and refuses them with its name")
  func refused() throws {
    // Memory has none on any kernel that is supported.
    try inTemporaryDirectory(below: "/dev/shm") { directory in
      #expect(!ProjectQuota.isKept(at: directory))
      #expect(throws: SystemError("project quota of \(directory)", errno: EOPNOTSUPP)) {
        try ProjectQuota.limit(directory, project: 1 << 30, bytes: 1 << 20)
      }
    }
  }

  @Test("whether a file system is in memory is known, and no file system has more free than it has")
  func space() throws {
    let memory = try FileSystemSpace(of: "/dev/shm")
    #expect(memory.isInMemory && memory.free <= memory.total)
    let other = try FileSystemSpace(of: "/proc/self")
    #expect(!other.isInMemory)
  }
}
