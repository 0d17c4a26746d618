import Fakes
import Glibc
import Linux
import Systemd
import Testing

@Suite struct RetryTests {
  @Test("a retry calls its action once, and not before the pause is over")
  func once() async throws {
    try await onOwnThread {
      let loop = try EventLoop()
      let retry = Retry(loop, after: .milliseconds(20), accuracy: .milliseconds(1))
      let begun = ContinuousClock.now
      let calls = Box(0)
      try retry.schedule {
        #expect(ContinuousClock.now - begun >= .milliseconds(20))
        #expect(!retry.isPending)
        calls.value += 1
      }
      #expect(retry.isPending)
      // Time enough for a second call.
      let end = try loop.after(.milliseconds(100)) { loop.exit() }
      try loop.run()
      end.cancel()
      #expect(calls.value == 1)
    }
  }

  @Test("a retry that is pending keeps its action and its time when another one is scheduled")
  func keepsPending() async throws {
    let called = try await onOwnThread {
      let loop = try EventLoop()
      let retry = Retry(loop, after: .milliseconds(10), accuracy: .milliseconds(1))
      let called = Box<[String]>([])
      try retry.schedule { called.value.append("first") }
      try retry.schedule { called.value.append("second") }
      let end = try loop.after(.milliseconds(100)) { loop.exit() }
      try loop.run()
      end.cancel()
      return called.value
    }
    #expect(called == ["first"])
  }

  @Test("the action of a retry can schedule the next attempt")
  func again() async throws {
    let calls = try await onOwnThread {
      let loop = try EventLoop()
      let attempts = Attempts(loop)
      try attempts.attempt()
      try loop.run()
      return attempts.count
    }
    #expect(calls == 3)
  }

  @Test("the action of a retry that was cancelled, or whose last reference is gone, is not called and is released")
  func cancelled() async throws {
    try await onOwnThread {
      let loop = try EventLoop()
      let retry = Retry(loop, after: .milliseconds(1), accuracy: .milliseconds(1))
      var dropped: Retry? = Retry(loop, after: .milliseconds(1), accuracy: .milliseconds(1))
      var token: Box<Int>? = Box(7)
      weak let alive = token
      try retry.schedule { [token] in Issue.record("a cancelled retry was attempted, \(token?.value ?? 0)") }
      try dropped?.schedule { [token] in Issue.record("a dropped retry was attempted, \(token?.value ?? 0)") }
      token = nil
      #expect(alive != nil)
      retry.cancel()
      #expect(!retry.isPending)
      dropped = nil
      #expect(alive == nil)
      let end = try loop.after(.milliseconds(50)) { loop.exit() }
      try loop.run()
      end.cancel()
    }
  }

  @Test("a retry can be scheduled anew after it was cancelled")
  func anew() async throws {
    try await onOwnThread {
      let loop = try EventLoop()
      let retry = Retry(loop, after: .milliseconds(1), accuracy: .milliseconds(1))
      try retry.schedule { Issue.record("a cancelled retry was attempted") }
      retry.cancel()
      try retry.schedule { loop.exit() }
      try loop.run()
    }
  }

  @Test("the action of a retry may drop the last reference to the retry")
  func dropsItself() async throws {
    try await onOwnThread {
      let loop = try EventLoop()
      let retry = Box<Retry?>(Retry(loop, after: .milliseconds(1), accuracy: .milliseconds(1)))
      weak let alive = retry.value
      try retry.value?.schedule {
        retry.value = nil
        #expect(alive == nil)
        loop.exit()
      }
      try loop.run()
      #expect(alive == nil)
    }
  }
}

/// Something that succeeds at its third attempt.
private final class Attempts {
  private let loop: EventLoop
  private let retry: Retry
  private(set) var count = 0

  init(_ loop: EventLoop) {
    self.loop = loop
    retry = Retry(loop, after: .milliseconds(1), accuracy: .milliseconds(1))
  }

  func attempt() throws {
    count += 1
    if count == 3 { return loop.exit() }
    try retry.schedule { [unowned self] in
      #expect(throws: Never.self) { try attempt() }
    }
  }
}
