import ControlProtocol
import Glibc
import Linux
import Testing

@testable import Supervision

@Suite("The control socket")
struct ControlServerTests {
  private static let info = Array("{\"method\":\"org.varlink.service.GetInfo\"}\0".utf8)

  @Test("the control socket answers a call, and describes its interfaces")
  func answers() async throws {
    try await withControlDaemon { daemon, runtime in
      let client = try ControlClient(runtime)
      try client.send(.list)
      #expect(try client.receive(.list) == .list([]))
      try client.send(.why(name: "x"))
      #expect(try client.receive(.why(name: "x")) == .failure(.noSuchGuest(name: "x")))
      try client.send(Self.info)
      #expect(String(decoding: try client.receive() ?? [], as: UTF8.self).contains(#""version":"1.2.3""#))
      #expect(await daemon.calls == [.list, .why(name: "x")])
    }
  }

  @Test("the connection of an Attach call is handed over, and closed by its new owner")
  func upgrade() async throws {
    try await withControlDaemon { _, runtime in
      let client = try ControlClient(runtime)
      let call = Call.attach(name: "web", terminal: nil, size: nil)
      try client.send(call)
      #expect(try client.receive(call) == .attached)
      #expect(try client.receive().map { String(decoding: $0, as: UTF8.self) } == "hello")
      #expect(try client.receive() == nil)
    }
  }

  @Test("only the daemon's user may connect to the control socket, which is removed with the server")
  func file() async throws {
    try await withControlDaemon { daemon, runtime in
      let path = "\(runtime)/io.dormouse"
      var status = stat()
      #expect(stat(path, &status) == 0)
      #expect(status.st_mode == S_IFSOCK | 0o600)
      await daemon.close()
      #expect(access(path, F_OK) == -1)
    }
  }

  @Test("a second server in the same runtime directory is refused and does not affect the first")
  func secondServer() async throws {
    try await withControlDaemon { daemon, runtime in
      await #expect(throws: SystemError("lock \(runtime)", errno: EADDRINUSE)) { try await daemon.serve(runtime) }
      try ControlClient(runtime).send(.list)
      await daemon.called(1)
    }
  }

  @Test("the control socket of a killed daemon is replaced, one at which a process listens is not")
  func staleSocket() throws {
    let runtime = "/tmp/dormouse-stale-\(getpid())"
    let path = "\(runtime)/io.dormouse"
    defer {
      removeFile(path)
      rmdir(runtime)
    }
    try makeDirectories(runtime)
    var other: Listener? = Listener(try openListener(.stream, .path(path), SocketOptions(mode: 0o600, backlog: 1)))
    #expect(other != nil)
    #expect(throws: SystemError("listen at \(path)", errno: EADDRINUSE)) { _ = try ControlSocket(runtime: runtime) }
    other = nil
    #expect(access(path, F_OK) == 0)
    let own = try ControlSocket(runtime: runtime)
    #expect(try UnixStream.answers(at: path))
    withExtendedLifetime(own) {}
  }

  @Test("a client that has sent half a message does not delay others, and is answered when it is complete")
  func halfMessage() async throws {
    try await withControlDaemon { _, runtime in
      let slow = try ControlClient(runtime)
      let bytes = try Call.status(name: "web", console: false).encoded()
      try slow.send(Array(bytes[..<20]))
      let other = try ControlClient(runtime)
      try other.send(.list)
      #expect(try other.receive(.list) == .list([]))
      for byte in bytes[20...] { try slow.send([byte]) }
      guard case .status(let status) = try slow.receive(.status(name: "web", console: false)) else {
        Issue.record("no status")
        return
      }
      #expect(status.name == "web")
    }
  }

  @Test("a thousand requests that are sent at once are answered in order")
  func pipelined() async throws {
    try await withControlDaemon { daemon, runtime in
      let client = try ControlClient(runtime)
      let calls = (0..<1000).map { Call.why(name: "g\($0)") }
      try client.send(calls.flatMap { try $0.encoded() })
      for (number, call) in calls.enumerated() {
        #expect(try client.receive(call) == .failure(.noSuchGuest(name: "g\(number)")))
      }
      #expect(await daemon.calls == calls)
    }
  }

  @Test("a client that does not read gets no more replies than its socket holds, and others are served meanwhile")
  func slowReader() async throws {
    try await withControlDaemon { daemon, runtime in
      let slow = try ControlClient(runtime)
      let call = Call.status(name: "web", console: true)
      try slow.send(try (0..<100).flatMap { _ in try call.encoded() })
      await daemon.called(1)
      for _ in 0..<50 {
        let other = try ControlClient(runtime)
        try other.send(.list)
        #expect(try other.receive(.list) == .list([]))
      }
      #expect(await daemon.calls.count { $0 == call } < 50)
      for _ in 0..<100 { #expect(try slow.receive() != nil) }
      #expect(await daemon.calls.count { $0 == call } == 100)
    }
  }

  @Test("a late reply delays the next requests of the same client, and no other client")
  func laterReply() async throws {
    try await withControlDaemon { daemon, runtime in
      let client = try ControlClient(runtime)
      try client.send(.wake(name: "web"))
      try client.send(.list)
      await daemon.called(1)
      let other = try ControlClient(runtime)
      try other.send(.list)
      #expect(try other.receive(.list) == .list([]))
      #expect(await daemon.calls == [.wake(name: "web"), .list])
      await daemon.answer(.failure(.wakeFailed(name: "web", reason: "no")))
      #expect(try client.receive(.wake(name: "web")) == .failure(.wakeFailed(name: "web", reason: "no")))
      #expect(try client.receive(.list) == .list([]))
    }
  }

  @Test("clients that disconnect while they wait free their places at once")
  func goneWhileWaiting() async throws {
    try await withControlDaemon { daemon, runtime in
      var clients = try (0..<ControlServer.waitingLimit).map { _ in try ControlClient(runtime) }
      for client in clients { try client.send(.sleep(name: "web", now: true)) }
      await daemon.called(clients.count)
      clients = []
      let next = try ControlClient(runtime)
      try next.send(.list)
      #expect(try next.receive(.list) == .list([]))
      await daemon.answer(.done)
      try next.send(.list)
      #expect(try next.receive(.list) == .list([]))
    }
  }

  @Test("one client too many replaces the one that was silent for longest")
  func flood() async throws {
    try await withControlDaemon { _, runtime in
      let limit = ControlServer.connectionLimit
      let clients = try (0..<limit).map { _ in try ControlClient(runtime) }
      for client in clients {
        try client.send(.list)
        #expect(try client.receive(.list) == .list([]))
      }
      try clients[0].send(.list)
      #expect(try clients[0].receive(.list) == .list([]))
      let more = try (0..<10).map { _ in try ControlClient(runtime) }
      try more[9].send(.list)
      #expect(try more[9].receive(.list) == .list([]))
      for client in clients[1...10] { #expect(try client.receive() == nil) }
      for client in [clients[0]] + clients[11...] + more[0...8] {
        try client.send(.list)
        #expect(try client.receive(.list) == .list([]))
      }
    }
  }

  @Test("calls that would wait are refused when too many do, and places are left for those that are answered at once")
  func full() async throws {
    try await withControlDaemon { daemon, runtime in
      let waiting = try (0..<ControlServer.waitingLimit).map { _ in try ControlClient(runtime) }
      for client in waiting { try client.send(.wake(name: "web")) }
      await daemon.called(waiting.count)
      for _ in 0..<ControlServer.connectionLimit {
        let late = try ControlClient(runtime)
        try late.send(.sleep(name: "web", now: true))
        #expect(try late.receive(.sleep(name: "web", now: true)) == .failure(.tooManyWaiting))
        try late.send(.list)
        #expect(try late.receive(.list) == .list([]))
      }
      await daemon.answer(.done)
      for client in waiting { #expect(try client.receive(.wake(name: "web")) == .done) }
      try waiting[0].send(.wake(name: "web"))
      await daemon.called(waiting.count + ControlServer.connectionLimit + 1)
    }
  }

  @Test("a client that sends request after request delays neither new clients nor other sources of the loop")
  func pipelining() async throws {
    try await withControlDaemon { daemon, runtime in
      let greedy = try ControlClient(runtime)
      // As many as fit into the sockets, with their replies.
      let calls = try (0..<1000).flatMap { _ in try Call.why(name: "x").encoded() }
      try greedy.send(calls)
      await daemon.called(1)
      let other = try ControlClient(runtime)
      try other.send(.list)
      #expect(try other.receive(.list) == .list([]))
      // The greedy one has its turns all the same, in order.
      #expect(await daemon.calls.prefix { $0 != .list }.count < 1000)
      for _ in 0..<1000 { #expect(try greedy.receive() != nil) }
    }
  }

  @Test("a client that has shut down its sending side is still answered")
  func halfClose() async throws {
    try await withControlDaemon { daemon, runtime in
      let client = try ControlClient(runtime)
      try client.send(.wake(name: "web"))
      client.finishWriting()
      await daemon.called(1)
      await daemon.answer(.done)
      #expect(try client.receive(.wake(name: "web")) == .done)
      #expect(try client.receive() == nil)
    }
  }

  @Test("calls without a reply are all carried out although the client has disconnected")
  func oneway() async throws {
    try await withControlDaemon { daemon, runtime in
      var client: ControlClient? = try ControlClient(runtime)
      let call = #"{"method":"io.dormouse.Manager.Wake","oneway":true,"parameters":{"name":"web"}}"# + "\0"
      try client?.send(Array((call + call).utf8))
      client = nil
      await daemon.called(1)
      await daemon.answer(.done)
      await daemon.called(2)
      #expect(await daemon.calls == [.wake(name: "web"), .wake(name: "web")])
    }
  }

  @Test(
    "a message that is not Varlink ends its connection, and no other",
    arguments: ["GET / HTTP/1.1\r\n\r\n\0", "\0", "{}\0", String(repeating: "x", count: 70_000)])
  func violation(bytes: String) async throws {
    try await withControlDaemon { _, runtime in
      let other = try ControlClient(runtime)
      let client = try ControlClient(runtime)
      // The server may be gone before the last byte of a long message is sent.
      try? client.send(Array(bytes.utf8))
      #expect(try client.receive() == nil)
      try other.send(.list)
      #expect(try other.receive(.list) == .list([]))
    }
  }
}

/// A listener that stops answering with its last reference, although a child of another test may have a copy of it for a moment.
private final class Listener {
  private let socket: OwnedFD

  init(_ socket: consuming OwnedFD) { self.socket = socket }

  deinit { shutdown(socket.raw, Int32(SHUT_RDWR)) }
}
