import Fakes
import Glibc
import Linux
import Testing

@testable import Systemd

@Suite("The watchdog")
struct WatchdogTests {
  private func withWatchdog(
    _ body: (Watchdog, FakeTimers, () -> [String], _ fill: (Bool) -> Void) throws -> Void
  ) throws {
    let path = "/tmp/dormouse-watchdog-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    let receiver = try openListener(.datagram, .path(path))
    defer { unlink(path) }
    let manager = ServiceManager(at: path)
    let timers = FakeTimers()
    let watchdog = Watchdog(manager, timers, timeout: .seconds(30))
    func received() -> [String] {
      var texts: [String] = []
      while (try? hasInput(receiver)) == true, let bytes = try? readReady(receiver, limit: 4096) {
        texts.append(String(decoding: bytes, as: UTF8.self))
      }
      return texts
    }
    try body(watchdog, timers, received) { full in
      if full { while (try? manager.status("full")) != nil {} } else { _ = received() }
    }
  }

  @Test("while the loop is watched it says twice in the time that it turns")
  func messages() throws {
    try withWatchdog { watchdog, timers, received, _ in
      timers.advance(by: .seconds(14))
      #expect(received() == [])
      timers.advance(by: .seconds(46))
      let texts = received()
      #expect(texts.count >= 3 && texts.allSatisfy { $0 == "WATCHDOG=1" })
      withExtendedLifetime(watchdog) {}
    }
  }

  @Test("when nothing runs the watch ends, and no timer is left; it begins again with the next guest")
  func silence() throws {
    try withWatchdog { watchdog, timers, received, _ in
      watchdog.end()
      watchdog.end()
      timers.advance(by: .seconds(1000))
      #expect(received() == ["WATCHDOG_USEC=0"])
      watchdog.begin()
      watchdog.begin()
      #expect(received() == ["WATCHDOG_USEC=30000000"])
      timers.advance(by: .seconds(17))
      #expect(received() == ["WATCHDOG=1"])
    }
  }

  @Test("a service manager that does not read is told later that the watch ends")
  func full() throws {
    try withWatchdog { watchdog, timers, received, fill in
      fill(true)
      watchdog.end()
      fill(false)
      timers.advance(by: .seconds(17))
      #expect(received() == ["WATCHDOG_USEC=0"])
      timers.advance(by: .seconds(1000))
      #expect(received() == [])
    }
  }

  @Test("a watchdog for which there is no timer ends the watch: the daemon would be taken for stuck")
  func noTimer() throws {
    try withWatchdog { watchdog, timers, received, _ in
      watchdog.end()
      _ = received()
      timers.failure = SystemError("timer", errno: ENOMEM)
      watchdog.begin()
      #expect(received() == ["WATCHDOG_USEC=30000000", "WATCHDOG_USEC=0"])
    }
  }
}
