import CSystemd
import Fakes
import Glibc
import Linux
import Systemd
import Testing

@Suite struct LoopActorTests {
  @Test("an actor on the event loop runs on the loop's thread, and so do its handlers")
  func handlersAreIsolated() async throws {
    let seen = try await onOwnThread {
      let loop = try EventLoop()
      let manager = Manager(loop: loop, thread: pthread_self())
      Task.detached { await manager.start() }
      try loop.run()
      return manager.assumeIsolated { $0.seen }
    }
    #expect(seen == ["started", "event of guest 3", "timer of guest 3"])
  }

  @Test("the event loop runs the jobs of many tasks, one at a time")
  func manyTasks() async throws {
    let total = try await onOwnThread {
      let loop = try EventLoop()
      let manager = Manager(loop: loop, thread: pthread_self())
      for _ in 0..<1000 { Task.detached { await manager.count(upTo: 1000) } }
      try loop.run()
      return manager.assumeIsolated { $0.total }
    }
    #expect(total == 1000)
  }

  @Test("jobs that queue further jobs without end do not starve the descriptors of the event loop")
  func jobsDoNotStarveDescriptors() async throws {
    try await onOwnThread {
      let loop = try EventLoop()
      let manager = Manager(loop: loop, thread: pthread_self())
      let fd = OwnedFD(owning: try retrying("eventfd") { eventfd(1, Int32(EFD_CLOEXEC)) })
      let spinning = Task.detached { while !Task.isCancelled { await manager.turn() } }
      let source = try loop.watch(fd, for: .readable) { _ in
        spinning.cancel()
        loop.exit()
      }
      try loop.run()
      source.cancel()
    }
  }
}

/// A small version of the daemon's manager.
private actor Manager {
  private let loop: EventLoop
  private let thread: pthread_t
  private var sources: [Int: EventSource] = [:]
  private var event: OwnedFD?
  private(set) var seen: [String] = []
  private(set) var total = 0

  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  init(loop: EventLoop, thread: pthread_t) {
    self.loop = loop
    self.thread = thread
  }

  func start() {
    record("started")
    let guest = 3
    do {
      let fd = OwnedFD(owning: try retrying("eventfd") { eventfd(1, Int32(EFD_CLOEXEC)) })
      sources[guest] = try loop.watch(fd, for: .readable) { [unowned self] _ in readable(guest) }
      event = consume fd
    } catch {
      Issue.record("\(error)")
      loop.exit()
    }
  }

  func count(upTo end: Int) {
    total += 1
    if total == end { loop.exit() }
  }

  func turn() {}

  private func readable(_ guest: Int) {
    assertIsolated()
    record("event of guest \(guest)")
    do {
      sources[guest] = try loop.after(.milliseconds(1)) { [unowned self] in
        assumeIsolated { $0.ended(guest) }
      }
    } catch { Issue.record("\(error)") }
  }

  private func ended(_ guest: Int) {
    record("timer of guest \(guest)")
    sources[guest] = nil
    loop.exit()
  }

  private func record(_ what: String) {
    #expect(pthread_equal(pthread_self(), thread) != 0)
    seen.append(what)
  }
}
