import Glibc
import Testing

@testable import Linux

@Suite("A scratch directory")
struct ScratchDirectoryTests {
  @Test("is gone at its end with all that is in it, and nothing that a link in it names")
  func goes() throws {
    let kept = try ScratchDirectory(named: "dormouse-kept")
    try writeFile("\(kept.path)/file", "stays")
    let path: String
    do {
      let scratch = try ScratchDirectory(named: "dormouse-scratch")
      path = scratch.path
      try makeDirectories("\(path)/a/b")
      try writeFile("\(path)/a/b/file", "goes")
      symlink(kept.path, "\(path)/a/link")
    }
    #expect(access(path, F_OK) == -1)
    #expect(try readFile("\(kept.path)/file", limit: 10) == Array("stays".utf8))
  }
}
