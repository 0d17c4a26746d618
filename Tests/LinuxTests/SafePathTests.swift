import Glibc
import Testing

@testable import Linux

@Suite("A path of the host that is resolved safely")
struct SafePathTests {
  /// Makes a home of user 4711 and a directory of root's in `directory`, to which nobody else may write.
  private static func inHome(_ body: (String) throws -> Void) throws {
    try inTemporaryDirectory { directory in
      for name in ["root", "home"] {
        try makeDirectories("\(directory)/\(name)/own")
      }
      chmod("\(directory)/root", 0o700)
      chown("\(directory)/home", 4711, 4711)
      chown("\(directory)/home/own", 4711, 4711)
      try body(directory)
    }
  }

  private static func link(_ target: String, _ path: String, by user: UInt32) {
    symlink(target, path)
    lchown(path, user, user)
  }

  private static func resolved(_ path: String) throws(SystemError) -> String { try SafePath(path).path }

  @Test("links of root's are followed, and links of a user to his own files")
  func followed() throws {
    try Self.inHome { directory in
      Self.link("\(directory)/home", "\(directory)/a", by: 0)
      Self.link("../home/./own", "\(directory)/root/b", by: 0)
      Self.link("own", "\(directory)/home/c", by: 4711)
      Self.link("\(directory)/home/own", "\(directory)/home/d", by: 4711)
      for name in ["a/own", "root/b", "home/c", "home/d", "a/d"] {
        let found = try Self.resolved("\(directory)/\(name)")
        #expect(found == "\(directory)/home/own", "\(name)")
      }
    }
  }

  @Test("a link of a user to what is not his own is refused, relative or absolute, and in the middle of a path")
  func links() throws {
    try Self.inHome { directory in
      Self.link("\(directory)/root", "\(directory)/home/a", by: 4711)
      Self.link("../root", "\(directory)/home/b", by: 4711)
      // In a directory of root's, as anybody can make one in /tmp.
      Self.link("root", "\(directory)/c", by: 4711)
      Self.link("c", "\(directory)/d", by: 0)
      for name in ["home/a", "home/b", "home/a/own", "c", "c/own", "d/own"] {
        let error = #expect(throws: SystemError.self) { try Self.resolved("\(directory)/\(name)") }
        #expect(error?.errno == EPERM, "\(name)")
      }
    }
  }

  @Test("only a directory to which nobody else may write, nor to one around it or around a link to it, is only ours")
  func onlyOurs() throws {
    try Self.inHome { directory in
      let (own, shared) = ("\(directory)/root/own", "\(directory)/shared")
      try makeDirectories(shared)
      Self.link(own, "\(shared)/link", by: 0)
      #expect(isOnlyOurs(own) && isOnlyOurs(own + "/none/none") && isOnlyOurs("\(shared)/link"))
      #expect(!isOnlyOurs("\(directory)/home") && !isOnlyOurs("\(directory)/home/own"))
      // In a sticky directory nobody can replace root's link, but anybody can make a file.
      chmod(shared, 0o1777)
      #expect(isOnlyOurs("\(shared)/link") && !isOnlyOurs(shared))
      chmod(shared, 0o777)
      #expect(!isOnlyOurs("\(shared)/link"))
      chmod(shared, 0o775)
      #expect(isOnlyOurs(shared))
      chown(shared, 0, 4711)
      #expect(!isOnlyOurs(shared) && !isOnlyOurs("\(shared)/link"))
    }
  }

  @Test("a file of root's in a directory of a user is refused, because the user can exchange it")
  func directories() throws {
    try Self.inHome { directory in
      try makeDirectories("\(directory)/home/roots")
      let error = #expect(throws: SystemError.self) { try Self.resolved("\(directory)/home/roots") }
      #expect(
        "\(error, default: "")"
          == "open \(directory)/home/roots (\(directory)/home of user 4711 leads to a file of user 0; let it belong to "
          + "root, or name the file itself): Operation not permitted")
    }
  }

  @Test("a loop of links is an error, and a link as the last name is followed only if that is wanted")
  func last() throws {
    try Self.inHome { directory in
      Self.link("loop", "\(directory)/loop", by: 0)
      #expect(throws: SystemError("open \(directory)/loop", errno: ELOOP)) { try Self.resolved("\(directory)/loop") }
      let link = try SafePath("\(directory)/loop", followingLast: false)
      let kind = link.kind
      #expect(kind == .symbolicLink)
    }
  }

  @Test("the namespace of a process of root's is a safe path")
  func namespaces() throws {
    #expect(throws: Never.self) { _ = try SafePath("/proc/self/ns/net") }
  }

  @Test("others reach a path unless a directory on it is closed to them")
  func reachable() throws {
    try Self.inHome { directory in
      chmod(directory, 0o755)
      func isReachable(_ name: String, exceptBy user: UInt32 = 0) throws(SystemError) -> Bool {
        try SafePath("\(directory)/\(name)").isReachable(exceptBy: user, whenOpened: false)
      }
      let before = [try isReachable("root/own"), try isReachable("home/own")]
      #expect(before == [false, true])
      chmod("\(directory)/home", 0o700)
      // The user himself reaches it still.
      let after = [try isReachable("home/own"), try isReachable("home/own", exceptBy: 4711)]
      #expect(after == [true, false])
      chmod(directory, 0o700)
      let last = try isReachable("home/own")
      #expect(!last)
    }
  }

  @Test("a directory is closed whose mode lets in nobody but root and the user, and the group that is theirs alone")
  func closed() {
    let cases: [(user: UInt32, group: UInt32, mode: UInt32, hasList: Bool, isClosed: Bool)] = [
      (0, 0, 0o700, false, true), (0, 0, 0o750, false, true), (0, 0, 0o750, true, false), (0, 0, 0o740, true, true),
      (0, 50, 0o750, false, false), (0, 50, 0o740, false, true), (0, 0, 0o701, false, false),
      (7, 7, 0o750, false, true),
      (7, 100, 0o750, false, false), (8, 8, 0o700, false, false),
    ]
    for (user, group, mode, hasList, isClosed) in cases {
      let access = DirectoryAccess(user: user, group: group, mode: mode, hasList: hasList)
      #expect(access.isClosed(exceptTo: 7) == isClosed, "\(access)")
    }
  }
}
