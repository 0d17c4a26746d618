import ControlProtocol
import Fakes
import Glibc
import GuestSpec
import Lifecycle
import Systemd
import Testing

@testable import Linux
@testable import Supervision

@Suite("A daemon and what an earlier one left running")
struct ManagerOrphanTests {
  @Test("The instance of a guest is told to halt, and the guest sleeps when it is gone")
  func known() async throws {
    try await withDaemon(guests: ["web", "mail"]) { daemon in
      let orphan = FakeInstance(InstanceName("web", 70))
      daemon.backend.left.instances = ["web": orphan]
      try daemon.start()
      #expect(orphan.signals == [.realtime(3)] && daemon.state(of: "mail")?.isAsleep == true)
      orphan.end()
      #expect(daemon.state(of: "web")?.isAsleep == true)
      #expect(daemon.backend.starts.isEmpty)
    }
  }

  @Test("The instance of a guest that has no file any more is stopped, and the guest forgotten")
  func fileless() async throws {
    try await withDaemon(guests: ["web"]) { daemon in
      let orphan = FakeInstance(InstanceName("gone", 4))
      daemon.backend.left.instances = ["gone": orphan]
      try daemon.start()
      #expect(orphan.signals == [.realtime(3)] && daemon.state(of: "gone")?.isReleasing == true)
      orphan.end()
      #expect(daemon.state(of: "gone") == nil && daemon.state(of: "web")?.isAsleep == true)
    }
  }

  @Test("A daemon of one guest leaves the instances of others alone")
  func concerned() async throws {
    try await withDaemon(guests: ["web"], arguments: ["web"]) { daemon in
      let orphan = FakeInstance(InstanceName("mail", 4))
      daemon.backend.left.instances = ["mail": orphan]
      try daemon.start()
      #expect(orphan.signals.isEmpty && !orphan.isWatched && daemon.state(of: "mail") == nil)
    }
  }

  @Test("Nothing is begun until the search succeeds, which is tried again each second and logged once")
  func search() async throws {
    try await withDaemon(guests: ["web"]) { daemon in
      daemon.backend.searchFailure = SystemError("open /sys/fs/cgroup", errno: EMFILE)
      try daemon.start()
      #expect(daemon.state(of: "web")?.isPending == true)
      daemon.advance(by: .seconds(1))
      daemon.advance(by: .seconds(1))
      #expect(daemon.backend.searches == 3 && daemon.captured.count(\.isCannotEnumerateOrphans) == 1)
      #expect(daemon.state(of: "web")?.isPending == true)
      // Another error is news.
      daemon.backend.searchFailure = SystemError("open /sys/fs/cgroup", errno: ENOMEM)
      daemon.advance(by: .seconds(1))
      #expect(daemon.captured.count(\.isCannotEnumerateOrphans) == 2)
      daemon.backend.searchFailure = nil
      daemon.advance(by: .seconds(1))
      #expect(daemon.state(of: "web")?.isAsleep == true)
      daemon.advance(by: .seconds(5))
      #expect(daemon.backend.searches == 5)
    }
  }

  @Test("A guest of which it is not known what runs does not keep the others from beginning")
  func oneFails() async throws {
    try await withDaemon(guests: ["web", "mail"]) { daemon in
      daemon.backend.left.failures = ["web": SystemError("pidfd_open", errno: ENFILE)]
      try daemon.start()
      #expect(daemon.state(of: "web")?.isPending == true && daemon.state(of: "mail")?.isAsleep == true)
      daemon.backend.left.failures = [:]
      daemon.backend.left.instances = ["web": FakeInstance(InstanceName("web", 70))]
      daemon.advance(by: .seconds(1))
      #expect(daemon.state(of: "web")?.haltCause == .daemon && daemon.state(of: "mail")?.isAsleep == true)
      #expect(daemon.captured.count(\.isFoundOrphan) == 1)
    }
  }

  @Test("A daemon that ends stops its guests, and ends when the last is gone")
  func end() async throws {
    try await withDaemon(guests: ["web"]) { daemon in
      let orphan = FakeInstance(InstanceName("web", 70))
      daemon.backend.left.instances = ["web": orphan]
      try daemon.start()
      daemon.signal(SIGTERM)
      #expect(daemon.state(of: "web")?.isReleasing == true && !daemon.backend.isFinished)
      orphan.end()
      #expect(daemon.state(of: "web") == nil && daemon.backend.isFinished)
    }
  }
}

/// A whole daemon above a fake backend, with guest files and a runtime directory of its own.
private final class FakeDaemon {
  let backend = FakeBackend()
  let timers = FakeTimers()
  let captured = CapturedLog()
  private let loop: EventLoop
  private let manager: Manager
  private let directory: String

  init(guests: [String], arguments: [String]) throws {
    // This thread's alone: it ends with the test.
    try blockSignals(Manager.blockedSignals)
    loop = try EventLoop()
    directory = "/tmp/dormouse-manager-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    try makeDirectories("\(directory)/guests")
    for name in guests {
      try writeFile("\(directory)/guests/\(name).guest", "[Socket]\nListenStream=\(directory)/\(name).socket\n")
    }
    let all = ["--config", "\(directory)/guests", "--runtime", "\(directory)/run"] + arguments
    // The manager runs on this thread too.
    nonisolated(unsafe) let backend: any Backend = backend
    nonisolated(unsafe) let timers: any Timers = timers
    nonisolated(unsafe) let log = captured.log
    nonisolated(unsafe) let makeBackend = { (_: EventLoop, _: String) throws(SystemError) -> any Backend in backend }
    manager = Manager(
      loop: loop, timers: timers, arguments: try DaemonArguments(all), log: log, backend: makeBackend)
  }

  deinit { try? removeTree(directory) }

  func start() throws {
    try manager.assumeIsolated { try $0.start() }
    loop.turn()
  }

  func state(of guest: String) -> State? { manager.assumeIsolated { $0.supervisors[guest]?.state } }

  func advance(by span: Duration) {
    timers.advance(by: span)
    loop.turn()
  }

  func signal(_ number: Int32) {
    pthread_kill(pthread_self(), number)
    loop.turn()
  }
}

/// Runs `body` with a daemon on a thread of its own: its signals are that thread's.
private func withDaemon(
  guests: [String], arguments: [String] = [], _ body: @escaping @Sendable (FakeDaemon) throws -> Void
) async throws {
  try await onOwnThread { try body(try FakeDaemon(guests: guests, arguments: arguments)) }
}
