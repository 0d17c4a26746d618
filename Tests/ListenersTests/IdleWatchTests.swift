import Fakes
import Glibc
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

  @Test("A guest that was to be frozen and was not is still idle when IdleStopSec= has passed")
  func freezeThenStop() {
    var other = guest
    other.policy.idleFreeze = .seconds(5)
    let watch = watch(other)
    watch.start()
    timers.advance(by: .seconds(5))
    #expect(reports.all == ["scanned", "freeze"])
    // Nothing is due by itself while that is decided.
    #expect(timers.next == nil)
    #expect(throws: Never.self) { try watch.rest() }
    #expect(timers.next == .seconds(55))
    timers.advance(by: .seconds(55))
    #expect(reports.all == ["scanned", "freeze", "idle"])
  }

  @Test("The end of a connection puts off the next scan only when nothing can be due before that one")
  func connectionEnded() throws {
    var other = guest
    other.policy.idleFreeze = .seconds(5)
    let client = try fixture.client(of: listeners.all[0])
    let connection = try fixture.accept(from: listeners.all[0].descriptor)
    scan.receivesEnds = true
    let watch = watch(other)
    watch.start()
    // While somebody uses it, it is scanned seldom: its end will be reported.
    #expect(timers.next == .seconds(60))
    timers.advance(by: .seconds(20))
    watch.connectionEnded()
    #expect(timers.next == .seconds(5) && watch.unused == .zero)
    timers.advance(by: .seconds(3))
    watch.connectionEnded()
    // A busy guest is not scanned as often as its connections end.
    #expect(timers.next == .seconds(2))
    withExtendedLifetime((client.raw, connection.raw)) {}
  }

  @Test("Clients who are parked for the next instance are reported at once when no connection is open")
  func parked() throws {
    // One who is connected already is a connection by himself; one who sends a datagram is not.
    _ = try listeners.bind(fixture.guest([.datagram]))
    let client = try parkedClient()
    let watch = watch()
    watch.start()
    #expect(reports.all == ["parked too long"])
    withExtendedLifetime(client.raw) {}
  }

  @Test("Clients who are parked for the next instance are reported after a moment while a connection is open")
  func parkedBehindConnection() throws {
    let open = try fixture.client(of: listeners.all[0])
    let connection = try fixture.accept(from: listeners.all[0].descriptor)
    let client = try parkedClient()
    let watch = watch()
    watch.start()
    #expect(reports.all == ["scanned"] && timers.next == IdlePolicy.often)
    timers.advance(by: IdlePolicy.often)
    #expect(reports.all == ["scanned", "parked too long"])
    withExtendedLifetime((open.raw, connection.raw, client.raw)) {}
  }

  private func parkedClient() throws -> OwnedFD {
    try listeners.divertNow(.all)
    let client = try fixture.client(of: listeners.all[0])
    #expect(write(client.raw, "x", 1) == 1)
    return client
  }

  @Test("A frozen guest with a connection runs for a moment when IdleStopSec= has passed, before its client gives up")
  func frozenWithConnection() throws {
    let client = try fixture.client(of: listeners.all[0])
    let connection = try fixture.accept(from: listeners.all[0].descriptor)
    let watch = watch()
    watch.start()
    timers.advance(by: .seconds(10))
    let before = reports.all.count
    try watch.rest()
    #expect(try watch.stopAt(scan.scan().usage) == nil)
    timers.advance(by: .milliseconds(59_900))
    #expect(reports.all.count == before)
    timers.advance(by: .milliseconds(100))
    #expect(reports.all[before...] == ["activity"])
    #expect(timers.next == nil)
    withExtendedLifetime((client.raw, connection.raw)) {}
  }

  @Test(
    "A frozen guest has to run when a client that is connected sends something or leaves, also by AF_UNIX",
    arguments: [false, true], [false, true])
  func clientOfFrozen(byPath: Bool, leaves: Bool) throws {
    if byPath { _ = try listeners.bind(fixture.guest([], path: "socket")) }
    var client: OwnedFD? = try fixture.client(of: listeners.all[0])
    let raw = client?.raw ?? -1
    let connection = try fixture.accept(from: listeners.all[0].descriptor)
    // The guest has not read this, and need not: it is no news.
    #expect(write(raw, "x", 1) == 1)
    let watch = watch()
    watch.start()
    try watch.rest()
    let before = reports.all.count
    timers.advance(by: .seconds(3))
    #expect(reports.all.count == before)
    if leaves { client = nil } else { #expect(write(raw, "y", 1) == 1) }
    timers.advance(by: .seconds(3))
    #expect(reports.all[before...] == ["activity"])
    // Thawed for another reason, it is not reported any more.
    watch.resume()
    timers.advance(by: .seconds(3))
    #expect(reports.all[before...].count(where: { $0 == "activity" }) == 1)
    withExtendedLifetime((client?.raw, connection.raw)) {}
  }

  @Test("A frozen guest is not scanned when a connection ends, unless that is to be reported")
  func endWhileFrozen() throws {
    let watch = watch()
    watch.start()
    try watch.rest()
    let next = timers.next
    watch.connectionEnded()
    #expect(reports.all == ["scanned"] && timers.next == next)
    #expect(try watch.stopAt(scan.scan().usage) != nil)
  }
}
