import CLinux
import Glibc
import Linux
import Testing

@Suite("Removal of a tree")
struct TreeRemovalTests {
  @Test("removing a tree removes everything in it, and not the targets of its symbolic links")
  func removes() throws {
    try inTemporaryDirectory { directory in
      let (path, kept) = ("\(directory)/tree", "\(directory)/kept")
      try makeDirectories("\(path)/a/b")
      try makeDirectories(kept)
      try writeFile("\(path)/a/b/file", "goes")
      try writeFile("\(kept)/file", "stays")
      symlink(kept, "\(path)/a/link")
      try removeTree(path)
      #expect(access(path, F_OK) == -1)
      #expect(try readFile("\(kept)/file", limit: 10) == Array("stays".utf8))
    }
  }

  @Test("a tree is removed whose directories are nested deeper than a path can name and than descriptors are left")
  func deep() throws {
    try inTemporaryDirectory { directory in
      let path = "\(directory)/tree"
      try makeDeepTree(path, depth: 19_000, name: String(repeating: "n", count: 100))
      try removeTree(path)
      #expect(access(path, F_OK) == -1)
    }
  }

  @Test("files whose names are not UTF-8 and files made immutable are removed")
  func odd() throws {
    try inTemporaryDirectory { directory in
      let path = "\(directory)/tree"
      try makeDirectories("\(path)/a")
      let name = Array(path.utf8CString.dropLast()) + [CChar(bitPattern: 0x2F), CChar(bitPattern: 0xFF), 0]
      close(open(name, O_CREAT | O_WRONLY, 0o600))
      try writeFile("\(path)/a/file", "x")
      // tmpfs and overlay may not have the attribute.
      _ = system("chattr +i \(path)/a/file \(path)/a 2>/dev/null")
      try removeTree(path)
      #expect(access(path, F_OK) == -1)
    }
  }

  @Test("the removal of a tree ends with an error at a mount point, and goes on once that is gone")
  func mounted() throws {
    try inTemporaryDirectory { directory in
      let path = "\(directory)/tree"
      try makeDirectories("\(path)/a/b")
      try retrying("mount") { mount("tmpfs", "\(path)/a/b", "tmpfs", 0, nil) }
      #expect(throws: SystemError("remove b below \(path)", errno: EBUSY)) { try removeTree(path) }
      umount2("\(path)/a/b", 0)
      try removeTree(path)
      #expect(access(path, F_OK) == -1)
    }
  }
}

/// Makes directories in each other.
func makeDeepTree(_ path: String, depth: Int, name: String) throws {
  try retrying("mkdir") { mkdir(path, 0o755) }
  var current = OwnedFD(owning: try retrying("open") { open(path, O_RDONLY | O_DIRECTORY) })
  for _ in 1..<depth {
    let raw = current.raw
    try retrying("mkdirat") { mkdirat(raw, name, 0o755) }
    current = OwnedFD(owning: try retrying("openat") { openat(raw, name, O_RDONLY | O_DIRECTORY) })
  }
}
