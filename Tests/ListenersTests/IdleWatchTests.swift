import GuestSpec
import Lifecycle
import Linux
import Systemd
import Testing

@testable import Listeners

@Suite("The watch for idleness")
struct IdleWatchTests {
  private let fixture: ListenersFixture
  private let listeners: GuestListeners
  private let timers = FakeTimers()
  private let scan: SocketScan
  private let guest: Guest
  private let reports = Reports()

  /// What the watch reported, in words.
  private final class Reports {
    var all: [String] = []
  }

  init() throws {
    fixture = try ListenersFixture()
    listeners = fixture.listeners()
    var guest = fixture.guest([.stream])
    guest.policy.idleStop = .seconds(60)
    self.guest = guest
    _ = try listeners.bind(guest)
    scan = SocketScan(
      fixture.diag, EndedConnections(loop: fixture.loop), listeners: listeners, idleStop: guest.policy.idleStop)
  }

  private func watch(_ guest: Guest? = nil) -> IdleWatch {
    IdleWatch(guest ?? self.guest, scan, timers) { [reports] finding in
      let word =
        switch finding {
        case .idle: "idle"
        case .freezeDue: "freeze"
        case .parkedTooLong: "parked too long"
        case .activity: "activity"
        case .scanned: "scanned"
        case .failed(let error): "failed: \(error)"
        }
      reports.all.append(word)
    }
  }

  @Test("A guest that nobody uses is scanned once at first, and is idle when IdleStopSec= has passed")
  func idle() {
    let watch = watch()
    watch.start()
    #expect(reports.all == ["scanned"])
    timers.advance(by: .milliseconds(59_900))
    #expect(reports.all == ["scanned"] && watch.unused == .milliseconds(59_900))
    timers.advance(by: .milliseconds(200))
    #expect(reports.all == ["scanned", "idle"])
  }

  @Test("A guest that nobody uses is to be frozen before that, if it asks for it")
  func freeze() {
    var other = guest
    other.policy.idleFreeze = .seconds(5)
    let watch = watch(other)
    watch.start()
    timers.advance(by: .seconds(6))
    #expect(reports.all == ["scanned", "freeze"])
  }

  @Test("A guest that somebody uses is not idle, and its time begins anew when the last connection ends")
  func used() throws {
    let client = try fixture.client(of: listeners.all[0])
    let connection = try fixture.accept(from: listeners.all[0].descriptor)
    let watch = watch()
    watch.start()
    timers.advance(by: .seconds(300))
    #expect(Set(reports.all) == ["scanned"])
    _ = consume connection
    _ = consume client
    watch.connectionEnded()
    let ended = timers.now
    while !reports.all.contains("idle"), timers.now < ended + .seconds(200) { timers.advance(by: .seconds(1)) }
    #expect(reports.all.last == "idle")
    #expect(timers.now - ended >= .seconds(60))
  }

  @Test("A frozen guest is not scanned: it is idle when IdleStopSec= has passed, or runs on before that")
  func frozen() throws {
    let watch = watch()
    watch.start()
    timers.advance(by: .seconds(20))
    try watch.rest()
    #expect(timers.next == .seconds(40))
    timers.advance(by: .seconds(10))
    watch.resume()
    #expect(timers.next == .milliseconds(20))
    timers.advance(by: .milliseconds(20))
    #expect(reports.all == ["scanned", "scanned"])
    try watch.rest()
    let left = try #require(timers.next)
    timers.advance(by: left)
    #expect(reports.all == ["scanned", "scanned", "idle"])
  }

  @Test("A watch that is stopped, or let go, reports nothing any more")
  func stopped() {
    var watch: IdleWatch? = watch()
    watch?.start()
    watch?.stop()
    timers.advance(by: .seconds(100))
    watch?.start()
    watch = nil
    timers.advance(by: .seconds(100))
    // The second start found that the time was over.
    #expect(reports.all == ["scanned", "idle"])
    #expect(timers.next == nil)
  }

  @Test("Without a timer the first scan fails, and the guest is not taken for idle")
  func noTimer() {
    timers.failure = SystemError("timer", errno: 12)
    let watch = watch()
    watch.start()
    #expect(reports.all.count == 1 && reports.all[0].hasPrefix("failed: "))
    _ = watch
  }
}
