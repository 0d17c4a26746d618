import CLinux
import Glibc
import Testing

@testable import Linux

@Suite("A sealed file")
struct SealedFileTests {
  @Test("holds what it was made with, and cannot be changed by anybody")
  func sealed() throws {
    let file = try sealedFile("test", Array("text".utf8))
    #expect(try readSealedFile(file, limit: 4) == Array("text".utf8))
    let raw = file.raw
    #expect(pwrite(raw, "x", 1, 0) == -1 && errno == EPERM)
    #expect(ftruncate(raw, 0) == -1 && errno == EPERM)
    #expect(ftruncate(raw, 100) == -1 && errno == EPERM)
    #expect(try sealedFile("test", []).isEmptyWhenRead())
  }

  @Test("is read from its beginning however far somebody else has read it")
  func offset() throws {
    let file = try sealedFile("test", Array("text".utf8))
    #expect(lseek(file.raw, 3, SEEK_SET) == 3)
    #expect(try readSealedFile(file, limit: 100) == Array("text".utf8))
    #expect(lseek(file.raw, 0, SEEK_CUR) == 3)
  }

  @Test("that is longer than its reader wants is not read")
  func tooLong() throws {
    let file = try sealedFile("test", [UInt8](repeating: 120, count: 5000))
    #expect(throws: SystemError("read a sealed file", errno: EFBIG)) { try readSealedFile(file, limit: 4999) }
  }

  @Test("is not what can still be changed, or is no file in memory")
  func unsealed() throws {
    let file = try memoryFile("test")
    #expect(write(file.raw, "text", 4) == 4)
    #expect(try readSealedFile(file, limit: 100) == nil)
    let partly = OwnedFD(owning: try retrying("memfd_create") { linux_sealable_file("test") })
    // F_ADD_SEALS of F_SEAL_SHRINK and F_SEAL_GROW only.
    #expect(fcntl(partly.raw, 1033, 6) == 0)
    #expect(try readSealedFile(partly, limit: 100) == nil)
    let onDisk = OwnedFD(owning: try retrying("open") { open("/proc/self/status", O_RDONLY | O_CLOEXEC) })
    #expect(try readSealedFile(onDisk, limit: 100) == nil)
    #expect(try readSealedFile(anyListener(), limit: 100) == nil)
  }
}

extension OwnedFD {
  fileprivate borrowing func isEmptyWhenRead() throws(SystemError) -> Bool { try readSealedFile(self, limit: 0) == [] }
}
