import Glibc
import Testing

@testable import Linux

@Suite("AF_UNIX listeners in the file system")
struct UnixListenerTests {
  @Test("a listener's file and the directories made for it have the mode and owner of the options, whatever the umask")
  func attributes() throws {
    try inTemporaryDirectory { directory in
      var options = SocketOptions()
      options.file.mode = 0o662
      options.file.directoryMode = 0o775
      options.file.owner = 12345
      options.file.group = 54321
      let path = "\(directory)/a/b/x.sock"
      let listener = try openListener(.stream, .path(path), options)
      #expect(try localAddress(of: listener) == .path(path))
      let file = try status(path)
      #expect(file.st_mode == S_IFSOCK | 0o662)
      #expect(file.st_uid == 12345)
      #expect(file.st_gid == 54321)
      #expect(try status("\(directory)/a/b").st_mode == S_IFDIR | 0o775)
      #expect(try status("\(directory)/a").st_mode == S_IFDIR | 0o775)
      let connection = try Connection(to: listener)
      #expect(try connection.works())
    }
  }

  @Test("a socket at which another program listens is not replaced", arguments: SocketKind.allCases)
  func served(kind: SocketKind) throws {
    try inTemporaryDirectory { directory in
      let other = try openListener(kind, .path("\(directory)/s"))
      expectFailure("bind \(directory)/s, where another program listens: Address already in use") {
        () throws(SystemError) in _ = try openListener(kind, .path("\(directory)/s"))
      }
      withExtendedLifetime(other) {}
    }
  }

  @Test("a stale socket is replaced", arguments: SocketKind.allCases)
  func stale(kind: SocketKind) throws {
    try inTemporaryDirectory { directory in
      let path = "\(directory)/x.sock"
      do { _ = try openListener(kind, .path(path)) }
      // It accepts as long as another test's child has a copy of it.
      #expect(comesTrue { !answers(kind, path) })
      let again = try openListener(kind, .path(path))
      #expect(try Linux.kind(of: again) == kind)
      let client = try connected(kind, to: .path(path))
      #expect(send(client.raw, "x", 1, 0) == 1)
      #expect(try hasInput(again))
    }
  }

  @Test("a file that is not a socket, or a link to one, is not replaced")
  func notOurs() throws {
    try inTemporaryDirectory { directory in
      let path = "\(directory)/x.sock"
      try writeFile(path, "precious")
      expectFailure("which is not a socket: Address already in use") { () throws(SystemError) in
        _ = try openListener(.stream, .path(path))
      }
      #expect(try readFile(path, limit: 100) == Array("precious".utf8))
      #expect(symlink(path, "\(directory)/link.sock") == 0)
      expectFailure("which is not a socket: Address already in use") { () throws(SystemError) in
        _ = try openListener(.stream, .path("\(directory)/link.sock"))
      }
    }
  }

  @Test(
    "in a directory that a user led elsewhere by a link nothing is made or removed", arguments: ["run", "run/more"])
  func ledElsewhere(below: String) throws {
    try inTemporaryDirectory { directory in
      for name in ["root/more", "home"] { try makeDirectories("\(directory)/\(name)") }
      do { _ = try openListener(.stream, .path("\(directory)/root/x.sock")) }
      #expect(chown("\(directory)/home", 4711, 4711) == 0)
      #expect(symlink("\(directory)/root", "\(directory)/home/run") == 0)
      #expect(lchown("\(directory)/home/run", 4711, 4711) == 0)
      for path in ["\(directory)/home/\(below)/x.sock", "\(directory)/home/\(below)/new/x.sock"] {
        expectFailure(
          "(a link of user 4711 leads to a file of user 0; let it belong to root, or name the file itself): "
            + "Operation not permitted"
        ) { () throws(SystemError) in
          _ = try openListener(.stream, .path(path))
        }
        removeSafely(path)
      }
      #expect(try directoryEntries("\(directory)/root").sorted() == ["more", "x.sock"])
      #expect(try directoryEntries("\(directory)/root/more").isEmpty)
    }
  }

  @Test(
    "directories that are made in a directory of a user belong to that user, and a socket there can be opened again")
  func inHome() throws {
    try inTemporaryDirectory { directory in
      try makeDirectories("\(directory)/home")
      #expect(chown("\(directory)/home", 4711, 4712) == 0)
      let path = "\(directory)/home/a/b/x.sock"
      for _ in 1...2 {
        let listener = try openListener(.datagram, .path(path))
        #expect(try hasInput(listener) == false)
      }
      for name in ["a", "a/b"] {
        let made = try status("\(directory)/home/\(name)")
        #expect(made.st_uid == 4711 && made.st_gid == 4712)
      }
      removeSafely(path)
      #expect(try directoryEntries("\(directory)/home/a/b").isEmpty)
    }
  }

  @Test("an abstract name can be bound once and needs no file")
  func abstract() throws {
    try inNetworkNamespace {
      let listener = try openListener(.sequentialPacket, .abstract("x"))
      let connection = try Connection(to: listener)
      #expect(try connection.works())
      expectFailure("bind @x: Address already in use") { () throws(SystemError) in
        _ = try openListener(.sequentialPacket, .abstract("x"))
      }
    }
  }

  @Test("an accepted connection has its client's pid and uid, and an empty queue gives no connection")
  func peer() throws {
    try inTemporaryDirectory { directory in
      let listener = try openListener(.stream, .path("\(directory)/x.sock"))
      let nobody = try acceptConnection(on: listener) == nil
      #expect(nobody)
      let client = try connected(to: .path("\(directory)/x.sock"))
      guard let connection = try acceptConnection(on: listener) else {
        Issue.record("nobody came")
        return
      }
      let peer = try UnixStream.peer(of: connection)
      #expect(peer == SocketCredentials(pid: getpid(), uid: getuid(), gid: getgid()))
      #expect(fcntl(connection.raw, F_GETFL) & O_NONBLOCK != 0)
      #expect(fcntl(connection.raw, F_GETFD) & FD_CLOEXEC != 0)
      #expect(send(client.raw, "x", 1, 0) == 1)
      #expect(try hasInput(connection))
    }
  }

  private func answers(_ kind: SocketKind, _ path: String) -> Bool {
    do throws(SystemError) {
      _ = try connected(kind, to: .path(path))
      return true
    } catch { return false }
  }

  private func status(_ path: String) throws -> stat {
    var status = stat()
    try retrying("lstat \(path)") { lstat(path, &status) }
    return status
  }
}
