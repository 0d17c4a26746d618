import Glibc
import Linux
import Testing

@Suite("Removal of a tree")
struct TreeRemovalTests {
  @Test("removing a tree in steps removes everything in it, and not the targets of its symbolic links")
  func removes() throws {
    try inTemporaryDirectory { directory in
      let (path, kept) = ("\(directory)/tree", "\(directory)/kept")
      try makeDirectories("\(path)/a/b")
      try makeDirectories(kept)
      try writeFile("\(path)/a/b/file", "goes")
      try writeFile("\(kept)/file", "stays")
      symlink(kept, "\(path)/a/link")
      let removal = TreeRemoval(of: path)
      #expect(!removal.removeNext(atMost: 1))
      #expect(removal.removeNext())
      #expect(access(path, F_OK) == -1)
      #expect(try readFile("\(kept)/file", limit: 10) == Array("stays".utf8))
    }
  }
}
