import Glibc
import Synchronization
import Testing

@testable import Linux

@Suite("Standby of a path")
struct StandbyPathTests {
  @Test(
    "a standby and the primary are exchanged at their path again and again, and have the same name",
    arguments: SocketKind.allCases)
  func exchange(kind: SocketKind) throws {
    try inTemporaryDirectory { directory in
      let path = "\(directory)/a/x.sock"
      let diag = try SockDiag()
      let primary = try openListener(kind, .path(path))
      let standby = try StandbyPath.open(kind, path)
      #expect(try localAddress(of: standby) == .path(path))
      for turn in 0..<5 {
        let isPrimary = turn % 2 == 0
        #expect(try diag.isReached(primary, by: path) == isPrimary)
        #expect(try diag.isReached(standby, by: path) == !isPrimary)
        let client = try connected(kind, to: .path(path))
        #expect(send(client.raw, "x", 1, 0) == 1)
        #expect(try hasInput(primary) == isPrimary)
        #expect(try hasInput(standby) == !isPrimary)
        if kind.isConnected {
          // Accepted, so that the queue is empty in the next round.
          _ = try isPrimary ? acceptNext(primary) : acceptNext(standby)
        } else {
          var byte: UInt8 = 0
          #expect(recv(isPrimary ? primary.raw : standby.raw, &byte, 1, 0) == 1)
        }
        try StandbyPath.exchange(path)
      }
      StandbyPath.remove(path)
      #expect(try directoryEntries("\(directory)/a") == ["x.sock"])
      #expect(try diag.isReached(standby, by: path))
    }
  }

  @Test(
    "there is no standby in a directory of another user, or that all may write to, and what lies there stays",
    arguments: [(UInt32(0o1777), UInt32(0)), (0o755, 1000), (0o775, 1000)])
  func othersDirectory(mode: UInt32, owner: UInt32) throws {
    try inTemporaryDirectory { directory in
      let (place, victim) = ("\(directory)/a", "\(directory)/private")
      let path = place + "/x.sock"
      let primary = try openListener(.stream, .path(path))
      // What an attacker makes first: the hidden directory is a link, and the hidden path leads to somebody else's socket.
      try retrying("mkdir") { mkdir(victim, 0o700) }
      let secret = try openListener(.stream, .path("\(victim)\(path)"))
      try retrying("symlink") { symlink(victim, "\(place)/.x.sock.dormouse") }
      try retrying("chmod") { chmod(place, mode) }
      try retrying("chown") { chown(place, owner, owner) }
      #expect(!StandbyPath.isPossible(path) && !StandbyPath.exists(path))
      #expect(throws: SystemError.self) { _ = try StandbyPath.open(.stream, path).raw }
      #expect(throws: SystemError.self) { try StandbyPath.exchange(path) }
      StandbyPath.remove(path)
      #expect(try SockDiag().isReached(secret, by: "\(victim)\(path)"))
      #expect(try SockDiag().isReached(primary, by: path))
    }
  }

  @Test("a standby of a path has the mode and owner of its options, whatever a killed process left")
  func attributes() throws {
    try inTemporaryDirectory { directory in
      let path = "\(directory)/x.sock"
      var options = SocketOptions()
      options.file.mode = 0o620
      options.file.owner = 12345
      let primary = try openListener(.stream, .path(path), options)
      for _ in 0..<3 {
        let standby = try StandbyPath.open(.stream, path, options)
        #expect(StandbyPath.exists(path))
        try StandbyPath.exchange(path)
        var status = stat()
        #expect(lstat(path, &status) == 0)
        #expect(status.st_mode == S_IFSOCK | 0o620)
        #expect(status.st_uid == 12345)
        let connection = try Connection(to: standby)
        #expect(try connection.works())
      }
      _ = primary.raw
    }
  }

  @Test("no client is refused while the standby and the primary of a path are exchanged")
  func underLoad() throws {
    try inTemporaryDirectory { directory in
      let path = "\(directory)/x.sock"
      let primary = try openListener(.stream, .path(path))
      let standby = try StandbyPath.open(.stream, path)
      let clients = try Clients(of: path)
      while clients.served < 200 {
        try StandbyPath.exchange(path)
        while try acceptConnection(on: primary) != nil {}
        while try acceptConnection(on: standby) != nil {}
      }
      #expect(clients.end() == 0)
    }
  }

  @Test("a standby of a path is not made when somebody else's file is in the way")
  func inTheWay() throws {
    try inTemporaryDirectory { directory in
      let path = "\(directory)/x.sock"
      let primary = try openListener(.stream, .path(path))
      try retrying("mkdir") { mkdir("\(directory)/.x.sock.dormouse", 0o777) }
      try retrying("chmod") { chmod("\(directory)/.x.sock.dormouse", 0o777) }
      expectFailure("mkdir \(directory)/.x.sock.dormouse: File exists") { () throws(SystemError) in
        _ = try StandbyPath.open(.stream, path)
      }
      #expect(try isListening(primary))
    }
  }
}

/// A thread that connects to a path again and again, and whose clients need no reply.
private final class Clients: Sendable {
  private let path: String
  private let counts = Mutex((served: 0, failed: 0, isOver: false))
  private let thread = Mutex(pthread_t())

  init(of path: String) throws(SystemError) {
    self.path = path
    let argument = Unmanaged.passUnretained(self).toOpaque()
    let code = thread.withLock {
      pthread_create(
        &$0, nil,
        { argument in
          if let argument { Unmanaged<Clients>.fromOpaque(argument).takeUnretainedValue().run() }
          return nil
        }, argument)
    }
    if code != 0 { throw SystemError("pthread_create", errno: code) }
  }

  var served: Int { counts.withLock { $0.served } }

  /// How many were refused.
  func end() -> Int {
    counts.withLock { $0.isOver = true }
    pthread_join(thread.withLock { $0 }, nil)
    return counts.withLock { $0.failed }
  }

  private func run() {
    while !counts.withLock({ $0.isOver }) {
      do throws(SystemError) {
        _ = try connected(to: .path(path))
        counts.withLock { $0.served += 1 }
      } catch {
        counts.withLock { $0.failed += 1 }
      }
    }
  }
}
