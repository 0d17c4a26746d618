import CSystemd
import Fakes
import Glibc
import Linux
import Systemd
import Testing

@Suite struct EventLoopTests {
  @Test("a handler is called as long as its watched descriptor is ready")
  func levelTriggered() async throws {
    let calls = try await onOwnThread {
      let loop = try EventLoop()
      let fd = try counter(at: 1)
      let calls = Box(0)
      let source = try loop.watch(fd, for: .readable) { events in
        #expect(events == .readable)
        calls.value += 1
        if calls.value == 3 { loop.exit() }
      }
      try loop.run()
      source.cancel()
      return calls.value
    }
    #expect(calls == 3)
  }

  @Test("the handler of a source that is cancelled in it is not called again, and is released")
  func cancelInside() async throws {
    try await onOwnThread {
      let loop = try EventLoop()
      let fd = try counter(at: 1)
      let own = Box<EventSource?>(nil)
      let end = Box<EventSource?>(nil)
      let calls = Box(0)
      var token: Box<Int>? = Box(7)
      weak let alive = token
      own.value = try loop.watch(fd, for: .readable) { [token] _ in
        calls.value += 1
        own.value?.cancel()
        own.value = nil
        #expect(token?.value == 7)
        // Enough time for another call.
        #expect(throws: Never.self) { end.value = try loop.after(.milliseconds(20)) { loop.exit() } }
      }
      token = nil
      #expect(alive != nil)
      try loop.run()
      end.value?.cancel()
      #expect(calls.value == 1)
      #expect(alive == nil)
    }
  }

  @Test("an event source ends with the last reference to it")
  func endsWithReference() async throws {
    try await onOwnThread {
      let loop = try EventLoop()
      let fd = try counter(at: 1)
      _ = try loop.watch(fd, for: .readable) { _ in Issue.record("a dropped source was dispatched") }
      let end = try loop.after(.milliseconds(5)) { loop.exit() }
      try loop.run()
      end.cancel()
    }
  }

  @Test("the handler of a disabled source is not called until the source is enabled again")
  func disabled() async throws {
    try await onOwnThread {
      let loop = try EventLoop()
      let fd = try counter(at: 1)
      let allowed = Box(false)
      let source = try loop.watch(fd, for: .readable) { _ in
        #expect(allowed.value)
        loop.exit()
      }
      try source.setEnabled(false)
      let later = try loop.after(.milliseconds(5)) {
        allowed.value = true
        #expect(throws: Never.self) { try source.setEnabled(true) }
      }
      try loop.run()
      later.cancel()
      source.cancel()
      #expect(allowed.value)
    }
  }

  @Test("the events that a descriptor is watched for can be changed")
  func changedEvents() async throws {
    let seen = try await onOwnThread {
      let loop = try EventLoop()
      let fd = try counter(at: 0)
      let seen = Box<IOEvents>([])
      let source = try loop.watch(fd, for: .readable) { events in
        seen.value = events
        loop.exit()
      }
      try source.setEvents(.writable)
      try loop.run()
      source.cancel()
      return seen.value
    }
    #expect(seen == .writable)
  }

  @Test("the ready source with the highest priority is dispatched first")
  func priorities() async throws {
    let order = try await onOwnThread {
      let loop = try EventLoop()
      let order = Box<[String]>([])
      let one = try counter(at: 1)
      let two = try counter(at: 1)
      let late = try loop.watch(one, for: .readable, priority: .last) { _ in
        order.value.append("last")
        loop.exit()
      }
      let firstSource = Box<EventSource?>(nil)
      firstSource.value = try loop.watch(two, for: .readable, priority: .first) { _ in
        order.value.append("first")
        firstSource.value?.cancel()
        firstSource.value = nil
      }
      try loop.run()
      late.cancel()
      return order.value
    }
    #expect(order == ["first", "last"])
  }

  @Test("each timer expires once, and not before its delay")
  func timers() async throws {
    let delays = [30, 10, 20]
    let waited = try await onOwnThread {
      let loop = try EventLoop()
      let waited = Box<[Int: [Duration]]>([:])
      let sources = try delays.map { delay in
        let begun = ContinuousClock.now
        return try loop.after(.milliseconds(delay)) {
          waited.value[delay, default: []].append(ContinuousClock.now - begun)
          if waited.value.count == delays.count { loop.exit() }
        }
      }
      try loop.run()
      for source in sources { source.cancel() }
      return waited.value
    }
    for delay in delays {
      #expect(waited[delay]?.count == 1)
      #expect(waited[delay].map { $0[0] >= .milliseconds(delay) } == true)
    }
  }

  @Test("a timer with a delay beyond the clock's range is an error, and one with a negative delay expires at once")
  func oddDelays() async throws {
    try await onOwnThread {
      let loop = try EventLoop()
      #expect(throws: SystemError("sd_event_add_time_relative", errno: EOVERFLOW)) {
        _ = try loop.after(.seconds(Int64.max)) {}
      }
      let source = try loop.after(.seconds(-1)) { loop.exit() }
      try loop.run()
      source.cancel()
    }
  }

  @Test("a blocked signal calls its handler, and a handler for a signal that is not blocked is an error")
  func signals() async throws {
    // SIGWINCH is ignored by default, so a test that fails does not end the process.
    try await onOwnThread {
      let loop = try EventLoop()
      // The test's thread inherits its mask from a thread of libdispatch, which blocks every signal.
      var none = sigset_t()
      sigemptyset(&none)
      pthread_sigmask(SIG_SETMASK, &none, nil)
      #expect(throws: SystemError("sd_event_add_signal", errno: EBUSY)) {
        _ = try loop.onSignal(SIGWINCH) { _ in }
      }
      try blockSignals([SIGWINCH])
      let source = try loop.onSignal(SIGWINCH) { _ in loop.exit() }
      pthread_kill(pthread_self(), SIGWINCH)
      try loop.run()
      source.cancel()
    }
  }

  @Test("watching a regular file is an error")
  func regularFile() async throws {
    try await onOwnThread {
      let loop = try EventLoop()
      let fd = OwnedFD(owning: try retrying("open") { open("/etc/passwd", O_RDONLY | O_CLOEXEC) })
      #expect(throws: SystemError("sd_event_add_io", errno: EPERM)) {
        _ = try loop.watch(fd, for: .readable) { _ in }
      }
    }
  }
}

/// An eventfd with `value`: readable as long as that is not 0, and always writable.
private func counter(at value: UInt32) throws -> OwnedFD {
  OwnedFD(owning: try retrying("eventfd") { eventfd(value, Int32(EFD_CLOEXEC)) })
}
