import Glibc
import Linux
import Testing

@Suite("Ownership and locks")
struct OwnershipTests {
  private static func withDirectory(_ body: (String) throws -> Void) throws {
    try inTemporaryDirectory(below: "/var/tmp", body)
  }

  private static func owner(_ path: String) throws -> [UInt32] {
    let status = try FileStatus(path, followingLinks: false)
    return [status.user, status.group]
  }

  private static func open(_ path: String) throws(SystemError) -> OwnedFD {
    OwnedFD(owning: try retrying("open \(path)") { Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
  }

  private static func giveTree(_ path: String, to base: UInt32, busy: UInt32) throws {
    try Linux.giveTree(try open(path), path, to: base, busy: busy)
  }

  private static func run(_ command: String) -> String {
    guard let pipe = popen(command, "r") else { return "" }
    defer { pclose(pipe) }
    var text = ""
    var line = [CChar](repeating: 0, count: 1024)
    while fgets(&line, Int32(line.count), pipe) != nil {
      text += String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    return text
  }

  @Test("giving a tree to a range of ids keeps modes, links and capabilities, and changes nothing outside of the tree")
  func give() throws {
    try Self.withDirectory { directory in
      let made = Self.run(
        """
        cd \(directory) && mkdir -p root/a/b outside && touch root/a/b/file root/suid outside/file && \
        chown 33:34 root/a/b/file && chmod 4755 root/suid && chmod 1777 root/a && mkfifo root/fifo && \
        ln -s \(directory)/outside/file root/link && ln -s /none root/a/dangling && \
        python3 - <<'END' 2>&1
        import os
        os.setxattr("root/suid", "security.capability", bytes.fromhex("0100000200200000000000000000000000000000"))
        END
        """)
      #expect(made == "")
      let root = directory + "/root"
      try Self.giveTree(root, to: 0x30_0000, busy: 0xFFFE_0000)
      for name in ["", "/a", "/a/b", "/suid", "/fifo", "/link", "/a/dangling"] {
        #expect(try Self.owner(root + name) == [0x30_0000, 0x30_0000], "\(name)")
      }
      #expect(try Self.owner(root + "/a/b/file") == [0x30_0000 + 33, 0x30_0000 + 34])
      #expect(try Self.owner(directory + "/outside/file") == [0, 0])
      #expect(Self.run("stat -c %a \(root)/suid \(root)/a") == "4755\n1777\n")
      // Revision 3, with the first id of the range.
      let capability = Self.run(
        "python3 -c 'import os; print(os.getxattr(\"\(root)/suid\", \"security.capability\").hex())'")
      #expect(capability == "010000030020000000000000000000000000000000003000\n")
    }
  }

  @Test("giving a tree completes an interrupted attempt, and can change the range again")
  func again() throws {
    try Self.withDirectory { directory in
      #expect(Self.run("cd \(directory) && mkdir -p root/a && touch root/a/x root/y && chown 65537:65538 root/a") == "")
      let root = directory + "/root"
      #expect(chown(root, 0xFFFE_0000, 0xFFFE_0000) == 0)
      try Self.giveTree(root, to: 0x30_0000, busy: 0xFFFE_0000)
      #expect(try Self.owner(root) == [0x30_0000, 0x30_0000])
      #expect(try Self.owner(root + "/a") == [0x30_0001, 0x30_0002])
      try Self.giveTree(root, to: 0x40_0000, busy: 0xFFFE_0000)
      #expect(try Self.owner(root + "/a") == [0x40_0001, 0x40_0002])
      try Self.giveTree(root, to: 0x40_0000, busy: 0xFFFE_0000)
      #expect(try Self.owner(root) == [0x40_0000, 0x40_0000])
    }
  }

  @Test("a program that lost its set-user-ID bit and capabilities to an interrupted attempt gets them back")
  func interrupted() throws {
    try Self.withDirectory { directory in
      let made = Self.run(
        """
        cd \(directory) && mkdir root && touch root/suid && chown 3145728:3145729 root/suid && chmod 755 root/suid && \
        python3 - <<'END' 2>&1
        import os
        # What is noted before chown(2): the mode 4755, and the capabilities.
        os.setxattr("root/suid", "trusted.dormouse.chown", bytes.fromhex("ed09" + "01000002002000000000000000000000" "00000000"))
        END
        """)
      #expect(made == "")
      try Self.giveTree(directory + "/root", to: 0x30_0000, busy: 0xFFFE_0000)
      #expect(Self.run("stat -c %a:%g \(directory)/root/suid") == "4755:3145729\n")
      let left = Self.run(
        "python3 -c 'import os; f = \"\(directory)/root/suid\"; print(os.listxattr(f), os.getxattr(f, \"security.capability\")[:4].hex())'"
      )
      #expect(left == "['security.capability'] 01000003\n")
    }
  }

  @Test("a tree that is being given away is not given to another range at the same time")
  func locked() throws {
    try Self.withDirectory { directory in
      let other = try Self.open(directory)
      #expect(flock(other.raw, LOCK_EX | LOCK_NB) == 0)
      #expect {
        try Self.giveTree(directory, to: 0x30_0000, busy: 0xFFFE_0000)
      } throws: {
        ($0 as? SystemError)?.errno == EWOULDBLOCK
      }
      #expect(try Self.owner(directory) == [0, 0])
    }
  }

  @Test("a tree is given away whose directories are nested deeper than a path can name and than descriptors are left")
  func deep() throws {
    try Self.withDirectory { directory in
      let path = directory + "/d"
      try makeDeepTree(path, depth: 19_000, name: "level")
      // Beside the deep one, so that the way back is gone too.
      #expect(Self.run("touch \(path)/a \(path)/level/b \(path)/z") == "")
      try Self.giveTree(path, to: 0x30_0000, busy: 0xFFFE_0000)
      for name in ["", "/a", "/level", "/level/b", "/z"] {
        #expect(try Self.owner(path + name) == [0x30_0000, 0x30_0000], "\(name)")
      }
      let left = Self.run("find \(path) -not -uid 3145728 2>/dev/null | wc -l")
      #expect(left == "0\n")
      try removeTree(path)
    }
  }

  @Test("a lock file has one holder, and is removed with it")
  func lock() throws {
    try Self.withDirectory { directory in
      let path = directory + "/lock"
      do {
        let first = try LockFile(locking: path)
        #expect(first != nil)
        #expect(try LockFile(locking: path) == nil)
        _ = first
      }
      #expect(access(path, F_OK) == -1)
      #expect(try LockFile(locking: path) != nil)
      #expect(throws: SystemError("open \(directory)/none/lock", errno: ENOENT)) {
        try LockFile(locking: directory + "/none/lock")
      }
    }
  }

  @Test("those who share a lock file exclude the one who wants it alone, and the last of them removes it")
  func shared() throws {
    try Self.withDirectory { directory in
      let path = directory + "/lock"
      var first = try LockFile(locking: path, isShared: true)
      var second = try LockFile(locking: path, isShared: true)
      #expect(first != nil && second != nil)
      #expect(try LockFile(locking: path) == nil)
      first = nil
      #expect(access(path, F_OK) == 0)
      #expect(try LockFile(locking: path) == nil)
      second = nil
      #expect(access(path, F_OK) == -1)
      let alone = try LockFile(locking: path)
      #expect(alone != nil)
      #expect(try LockFile(locking: path, isShared: true) == nil)
    }
  }

  @Test("a tree is locked by its inode and beside it, but not beside it where other users could hold that lock")
  func tree() throws {
    try Self.withDirectory { directory in
      let (tree, open, locks) = (directory + "/tree", directory + "/open", directory + "/locks")
      for path in [tree, open, open + "/tree"] { mkdir(path, 0o755) }
      chmod(open, 0o777)
      do {
        let lock = try TreeLock(of: tree, isShared: false, in: locks)
        #expect(lock != nil)
        #expect(access(directory + "/.#tree.lck", F_OK) == 0)
        #expect(access("\(locks)/\(try TreeLock.identity(of: tree))", F_OK) == 0)
        symlink("tree", directory + "/alias")
        #expect(try TreeLock(of: directory + "/alias", isShared: true, in: locks) == nil)
        #expect(try TreeLock(of: tree, isShared: true, in: directory + "/others") == nil)
        _ = lock
      }
      #expect(try directoryEntries(locks) == [])
      // Another user's lock there.
      let blocking = try LockFile(locking: open + "/.#tree.lck")
      #expect(blocking != nil)
      let lock = try TreeLock(of: open + "/tree", isShared: false, in: locks)
      #expect(lock != nil)
    }
  }
}
