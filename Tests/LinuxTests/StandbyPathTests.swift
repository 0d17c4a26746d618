import Glibc
import Synchronization
import Testing

@testable import Linux

@Suite("A second socket for a path")
struct StandbyPathTests {
  @Test("takes the place of the first and gives it back, under the same name", arguments: SocketKind.allCases)
  func exchange(kind: SocketKind) throws {
    try inTemporaryDirectory { directory in
      let path = "\(directory)/a/x.sock"
      let diag = try SockDiag()
      let first = try openListener(kind, .path(path))
      let second = try StandbyPath.open(kind, path)
      #expect(try localAddress(of: second) == .path(path))
      for turn in 0..<5 {
        let isFirst = turn % 2 == 0
        #expect(try diag.isReached(first, by: path) == isFirst)
        #expect(try diag.isReached(second, by: path) == !isFirst)
        let client = try connected(kind, to: .path(path))
        #expect(send(client.raw, "x", 1, 0) == 1)
        #expect(try hasInput(first) == isFirst)
        #expect(try hasInput(second) == !isFirst)
        if kind.isConnected {
          // Taken, or the queue of an earlier turn would be seen.
          _ = try isFirst ? acceptNext(first) : acceptNext(second)
        } else {
          var byte: UInt8 = 0
          #expect(recv(isFirst ? first.raw : second.raw, &byte, 1, 0) == 1)
        }
        try StandbyPath.exchange(path)
      }
      StandbyPath.remove(path)
      #expect(try directoryEntries("\(directory)/a") == ["x.sock"])
      #expect(try diag.isReached(second, by: path))
    }
  }

  @Test("has mode and owner as asked for, and what a killed process left does not disturb")
  func attributes() throws {
    try inTemporaryDirectory { directory in
      let path = "\(directory)/x.sock"
      var options = SocketOptions()
      options.mode = 0o620
      options.owner = 12345
      let first = try openListener(.stream, .path(path), options)
      for _ in 0..<3 {
        let second = try StandbyPath.open(.stream, path, options)
        #expect(StandbyPath.exists(path))
        try StandbyPath.exchange(path)
        var status = stat()
        #expect(lstat(path, &status) == 0)
        #expect(status.st_mode == S_IFSOCK | 0o620)
        #expect(status.st_uid == 12345)
        let connection = try Connection(to: second)
        #expect(try connection.works())
      }
      _ = first.raw
    }
  }

  @Test("no client that connects without pause is refused while the two change places")
  func underLoad() throws {
    try inTemporaryDirectory { directory in
      let path = "\(directory)/x.sock"
      let first = try openListener(.stream, .path(path))
      let second = try StandbyPath.open(.stream, path)
      let clients = try Clients(of: path)
      while clients.served < 200 {
        try StandbyPath.exchange(path)
        _ = try refuseQueued(on: first, limit: 100)
        _ = try refuseQueued(on: second, limit: 100)
      }
      #expect(clients.end() == 0)
    }
  }

  @Test("is not made where somebody else's file is in the way")
  func inTheWay() throws {
    try inTemporaryDirectory { directory in
      let path = "\(directory)/x.sock"
      let first = try openListener(.stream, .path(path))
      try retrying("mkdir") { mkdir("\(directory)/.x.sock.dormouse", 0o777) }
      try retrying("chmod") { chmod("\(directory)/.x.sock.dormouse", 0o777) }
      expectFailure("mkdir \(directory)/.x.sock.dormouse: File exists") { () throws(SystemError) in
        _ = try StandbyPath.open(.stream, path)
      }
      #expect(try isListening(first))
    }
  }
}

/// A thread whose clients connect to a path without pause and are content to be turned away.
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
