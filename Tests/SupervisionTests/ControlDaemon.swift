import ControlProtocol
import Dispatch
import Glibc
import Lifecycle
import Linux
import Systemd

@testable import Supervision

/// The daemon behind the control socket of these tests: a loop on a thread of its own, and guests whose states the test sets.
actor ControlDaemon {
  nonisolated let loop: EventLoop
  private var server: ControlServer?
  private(set) var calls: [Call] = []
  private var guests: [GuestSummary] = []
  private var waiting: [ControlServer.PendingCall] = []
  private var watchers: [(count: Int, resume: CheckedContinuation<Void, Never>)] = []

  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  init(loop: EventLoop) { self.loop = loop }

  func serve(_ runtime: String) throws {
    server = try ControlServer(
      loop: loop, runtime: runtime, version: "1.2.3",
      upgrade: { _, socket in _ = try? UnixStream.send(Array("hello\0".utf8)[...], to: socket) }
    ) { [unowned self] call, pending in handle(call, pending) }
  }

  /// `Wake` and `Sleep` wait for `answer(_:)`; a console is full.
  private func handle(_ call: Call, _ pending: ControlServer.PendingCall) -> Reply? {
    calls.append(call)
    for watcher in watchers where watcher.count <= calls.count { watcher.resume.resume() }
    watchers.removeAll { $0.count <= calls.count }
    switch call {
    case .list: return .list(guests)
    case .status(let name, let console):
      var status = GuestStatus(name: name, state: .active, since: Timestamp(microseconds: 1))
      if console { status.console = String(repeating: "a", count: 64 * 1024) }
      return .status(status)
    case .why(let name): return .failure(.noSuchGuest(name: name))
    case .attach: return .attached
    case .subscribeGuests(let name): return server?.subscribe(pending, to: name, guests.map { ($0, .inactive) })
    case .wake, .sleep, .freeze, .thaw, .resize, .reload:
      waiting.append(pending)
      return nil
    }
  }

  /// Returns when this many calls have arrived.
  func called(_ count: Int) async {
    if calls.count >= count { return }
    await withCheckedContinuation { watchers.append((count, $0)) }
  }

  /// Runs a client that blocks until it has an answer, on a thread that nothing else needs. If it ends without having
  /// called, nobody waits for its call any longer.
  nonisolated func client<Result: Sendable>(
    _ body: @escaping @Sendable () throws -> Result
  ) async throws -> Result {
    let result = await withCheckedContinuation { continuation in
      DispatchQueue.global().async { continuation.resume(returning: Swift.Result(catching: body)) }
    }
    await stopWaiting()
    return try result.get()
  }

  private func stopWaiting() {
    for watcher in watchers { watcher.resume.resume() }
    watchers = []
  }

  func answer(_ reply: Reply) {
    let calls = waiting
    waiting = []
    for call in calls { server?.answer(call, reply) }
  }

  func add(_ guest: GuestSummary) { guests.append(guest) }

  /// Puts the guest in this state; nil removes it.
  func change(_ guest: String, to state: State.Word?, wakes: Int = 0) {
    server?.publish(guest, state) {
      var summary = GuestSummary(name: guest, state: .active, since: Timestamp(microseconds: 1))
      summary.wakes = wakes
      return summary
    }
  }

  func close() { server = nil }

  func stop() {
    close()
    loop.exit()
  }
}

/// Runs `body` against a daemon whose control socket is in a directory of its own, and takes both away afterwards.
func withControlDaemon(
  in runtime: String = "/tmp/dormouse-control-\(getpid())-\(UInt64.random(in: 0 ... .max))",
  _ body: (ControlDaemon, _ runtime: String) async throws -> Void
) async throws {
  defer {
    removeFile("\(runtime)/io.dormouse")
    rmdir(runtime)
  }
  let daemon = try await startLoop()
  do {
    try await daemon.serve(runtime)
    try await body(daemon, runtime)
  } catch {
    await daemon.stop()
    throw error
  }
  await daemon.stop()
}

/// A loop blocks its thread, so it gets one of its own; the thread ends with the loop.
private func startLoop() async throws -> ControlDaemon {
  try await withCheckedThrowingContinuation { continuation in
    let main = LoopMain(started: continuation)
    var thread = pthread_t()
    let code = pthread_create(
      &thread, nil,
      { argument in
        if let argument { Unmanaged<LoopMain>.fromOpaque(argument).takeRetainedValue().run() }
        return nil
      }, Unmanaged.passRetained(main).toOpaque())
    precondition(code == 0, "pthread_create")
    pthread_detach(thread)
  }
}

private final class LoopMain: Sendable {
  private let started: CheckedContinuation<ControlDaemon, any Error>

  init(started: CheckedContinuation<ControlDaemon, any Error>) { self.started = started }

  func run() {
    do {
      let loop = try EventLoop()
      started.resume(returning: ControlDaemon(loop: loop))
      try loop.run()
    } catch {
      started.resume(throwing: error)
    }
  }
}

/// A client that sends the bytes it is given. It disconnects with its last reference, by shutdown(2) and not by close(2) alone: a child of
/// another test, between its start and `execve`, may have a copy of the socket.
final class ControlClient {
  private let socket: OwnedFD
  private var buffer = MessageBuffer(limit: MessageBuffer.replyLimit)

  /// Connects; a read that takes longer than a minute is a failure instead of a hanging test.
  init(_ runtime: String) throws {
    socket = try UnixStream.connect(to: "\(runtime)/io.dormouse")
    var limit = timeval(tv_sec: 60, tv_usec: 0)
    setsockopt(socket.raw, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { shutdown(socket.raw, Int32(SHUT_RDWR)) }

  func send(_ bytes: [UInt8]) throws {
    var rest = bytes[...]
    while !rest.isEmpty { rest = rest.dropFirst(try UnixStream.send(rest, to: socket)) }
  }

  func send(_ call: Call) throws { try send(try call.encoded()) }

  /// The next message; nil at the end of the connection, however that comes.
  func receive() throws -> [UInt8]? {
    while true {
      if let message = try buffer.next() { return message }
      do throws(SystemError) {
        guard let bytes = try UnixStream.receive(from: socket, upTo: min(buffer.room, 65536)) else {
          throw SystemError("recv", errno: ETIMEDOUT)
        }
        if bytes.isEmpty { return nil }
        try? buffer.append(bytes)
      } catch {
        if error.errno == ECONNRESET { return nil }
        throw error
      }
    }
  }

  func receive(_ call: Call) throws -> Reply? { try receive().map { try call.decodeReply($0) } }

  func finishWriting() { UnixStream.finishWriting(to: socket) }
}
