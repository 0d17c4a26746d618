import Glibc
import Testing

@testable import Linux

@Suite("Files")
struct FilesTests {
  @Test(
    "the version of systemd is in the name of its library",
    arguments: [
      ("libsystemd-shared-257.so", 257), ("libsystemd-shared-258.1-1.fc43.so", 258), ("libsystemd-core-257.so", nil),
      ("libsystemd-shared-.so", nil), ("libsystemd-shared-257.so.old", nil),
    ] as [(String, Int?)])
  func systemd(name: String, version: Int?) { #expect(systemdVersion(ofLibrary: name) == version) }

  /// A directory that is removed at the end of the test.
  private final class Scratch {
    let path: String
    init() throws {
      var template = Array("/tmp/dormouse-files-XXXXXX".utf8CString)
      let made = try #require(mkdtemp(&template))
      path = String(cString: made)
    }
    deinit {
      for name in (try? directoryEntries(path)) ?? [] { unlink("\(path)/\(name)") }
      rmdir(path)
    }
  }

  @Test("a file that is written is read back, and no temporary file stays")
  func writesWhole() throws {
    let scratch = try Scratch()
    try writeFile("\(scratch.path)/note", "one\n")
    try writeFile("\(scratch.path)/note", "two\n")
    #expect(try readFile("\(scratch.path)/note", limit: 100) == Array("two\n".utf8))
    #expect(try directoryEntries(scratch.path) == ["note"])
  }

  @Test("a file that is longer than the limit is not read")
  func refusesLong() throws {
    let scratch = try Scratch()
    try writeFile("\(scratch.path)/long", String(repeating: "x", count: 101))
    #expect(throws: SystemError("read \(scratch.path)/long", errno: EFBIG)) {
      try readFile("\(scratch.path)/long", limit: 100)
    }
  }

  @Test("the error of a write that fails names the file")
  func failedWriteNamesFile() {
    #expect(throws: SystemError("open /nonexistent/note.new", errno: ENOENT)) {
      try writeFile("/nonexistent/note", "text")
    }
  }

  @Test("the sockets of this process are found by their inodes")
  func findsOwnSockets() throws {
    let descriptor = OwnedFD(
      owning: try retrying("socket") { socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0) })
    var status = stat()
    try retrying("fstat") { fstat(descriptor.raw, &status) }
    let inode = UInt64(status.st_ino)
    var search = SocketSearch(for: [inode], limit: 10_000)
    try search.scan(process: getpid())
    #expect(search.isComplete && search.found == [inode])
    var limited = SocketSearch(for: [inode, 0], limit: 3)
    try limited.scan(process: getpid())
    #expect(limited.isExhausted)
  }

  @Test("a file in a guest's root is found through symbolic links that stay inside, and only a regular file is opened")
  func readsInRoot() throws {
    let scratch = try Scratch()
    try writeFile("\(scratch.path)/hostname", "inside\n")
    symlink("/hostname", "\(scratch.path)/absolute")
    symlink("../../hostname", "\(scratch.path)/above")
    symlink("/proc/self/root/etc/hostname", "\(scratch.path)/outside")
    mkfifo("\(scratch.path)/fifo", 0o600)
    for name in ["hostname", "/hostname", "absolute", "above"] {
      #expect(try readFile(name, inRoot: scratch.path, limit: 100) == Array("inside\n".utf8))
    }
    #expect(throws: SystemError("open outside in \(scratch.path)", errno: ENOENT)) {
      try readFile("outside", inRoot: scratch.path, limit: 100)
    }
    #expect(throws: SystemError("open /proc/self/root/etc/passwd in /", errno: ELOOP)) {
      try readFile("/proc/self/root/etc/passwd", inRoot: "/", limit: 1 << 20)
    }
    #expect(throws: SystemError("read fifo in \(scratch.path)", errno: EINVAL)) {
      try readFile("fifo", inRoot: scratch.path, limit: 100)
    }
    #expect(throws: SystemError("read dev/null in /", errno: EINVAL)) {
      try readFile("dev/null", inRoot: "/", limit: 100)
    }
  }

  @Test("of a guest's console only a pseudoterminal is opened, no other device that an image has in its place")
  func console() throws {
    try inTemporaryDirectory(below: "/var/tmp") { root in
      mkdir("\(root)/dev", 0o755)
      // /dev/null can be opened by everybody.
      mknod("\(root)/dev/null", S_IFCHR | 0o666, dev_t(1 << 8 | 3))
      symlink("null", "\(root)/dev/console")
      #expect(try FileStatus("/dev/console", inRoot: root).device == DeviceNumber(1 << 8 | 3))
      #expect(!terminalIsHeld("/dev/console", inRoot: root))
      let terminals = try DetachedTerminals.make()
      try attachMount(terminals.mount, at: root + "/dev")
      defer { umount2(root + "/dev", 2) }
      #expect(terminalIsHeld("/dev/0", inRoot: root))
    }
  }
}
