import Glibc
import Testing

@testable import Linux

@Suite("Mounts")
struct MountTests {
  @Test("a line of mountinfo may have any number of optional fields, and its octal escapes are decoded")
  func line() throws {
    let text =
      #"36 35 98:0 /mnt\0401 /a\134b\011c rw,noatime master:1 shared:7 - ext3 /dev/root\012 rw,errors=continue"#
    let mount = try #require(MountInfo.parse(text).first)
    #expect(mount.root == "/mnt 1")
    #expect(mount.target == "/a\\b\tc")
    #expect(mount.options == ["rw", "noatime"])
    #expect(mount.propagation == ["master:1", "shared:7"])
    #expect(mount.type == "ext3")
    #expect(mount.source == "/dev/root\n")
  }

  @Test(
    "a malformed line of mountinfo is skipped",
    arguments: [
      "", "36 35", "36 35 98:0 / /a rw shared:7 ext3 /dev/x rw", "36 35 98:0 / /a rw - ext3", #"- - - - - - - -"#,
    ])
  func malformed(line: String) {
    #expect(MountInfo.parse(line) == [])
  }

  @Test("the mountinfo of this process lists /proc")
  func own() throws {
    #expect(try MountInfo.read().contains { $0.target == "/proc" && $0.type == "proc" })
  }

  @Test("a devpts whose terminals would belong to a group beyond the last one is an error")
  func terminalGroup() {
    #expect(throws: SystemError("fsconfig devpts gid", errno: EOVERFLOW)) {
      _ = try DetachedTerminals.make(user: .max - 4, group: .max - 4)
    }
  }

  @Test("a devpts that is not attached has a terminal, and opening ptmx makes more")
  func terminals() throws {
    let terminals = try DetachedTerminals.make()
    let mount = terminals.mount.raw
    let slave = OwnedFD(
      owning: try retrying("open 0") { openat(mount, "0", O_RDWR | O_NOCTTY | O_CLOEXEC) })
    #expect(isatty(slave.raw) == 1)
    #expect(write(slave.raw, "x", 1) == 1)
    let more = OwnedFD(
      owning: try retrying("open ptmx") { openat(mount, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC) })
    #expect(isatty(more.raw) == 1)
    var byte: UInt8 = 0
    let master = terminals.takeMaster()
    // A kernel worker delivers what was written, so it may take a moment.
    try waitForInput(master)
    #expect(read(master.raw, &byte, 1) == 1)
    #expect(byte == UInt8(ascii: "x"))
    // Non-blocking: nothing more is there.
    #expect(read(master.raw, &byte, 1) == -1 && errno == EAGAIN)
  }

  @Test("the further terminals of a devpts have the numbers from 1 on, and their masters are in that order")
  func furtherTerminals() throws {
    let terminals = try DetachedTerminals.make(others: 2)
    let mount = terminals.mount.raw
    for number in 1...2 {
      let slave = OwnedFD(
        owning: try retrying("open") { openat(mount, "\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC) })
      guard let owned = terminals.others.takeFirst() else { throw SystemError("a master", errno: ENOENT) }
      try setWindowSize(WindowSize(rows: 24, columns: 80 + UInt16(number)), of: owned)
      var size = winsize()
      #expect(ioctl(slave.raw, UInt(TIOCGWINSZ), &size) == 0)
      #expect(size.ws_row == 24 && size.ws_col == 80 + UInt16(number))
      let count = try writeReady(owned, [UInt8(ascii: "x"), UInt8(ascii: "\n")])
      #expect(count == 2)
      var bytes = [UInt8](repeating: 0, count: 2)
      #expect(read(slave.raw, &bytes, 2) == 2 && bytes == [UInt8(ascii: "x"), UInt8(ascii: "\n")])
    }
    #expect(openat(mount, "3", O_RDWR | O_NOCTTY) == -1)
  }
}
