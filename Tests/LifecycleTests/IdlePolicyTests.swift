import Testing

@testable import Lifecycle

@Suite("When an unused guest is to be stopped")
struct IdlePolicyTests {
  private let unused = IdlePolicy.Usage(inUse: false, endIsAnnounced: true)

  @Test("A guest that nobody uses is stopped IdleStopSec after it was ready")
  func stopsAfterReadiness() {
    var policy = IdlePolicy(idleStop: .seconds(60), readyAt: .seconds(100))
    #expect(policy.judge(unused, at: .seconds(130)) == .rescan(after: .seconds(30)))
    #expect(policy.judge(unused, at: .seconds(160)) == .stop)
  }

  @Test("An open connection keeps it awake, and its end starts the clock anew")
  func connectionKeepsAwake() {
    var policy = IdlePolicy(idleStop: .seconds(60), readyAt: .zero)
    #expect(
      policy.judge(.init(inUse: true, endIsAnnounced: true), at: .seconds(500)) == .rescan(after: .seconds(60)))
    policy.connectionEnded(at: .seconds(510))
    #expect(policy.judge(unused, at: .seconds(510)) == .rescan(after: .seconds(60)))
    #expect(policy.judge(unused, at: .seconds(570)) == .stop)
  }

  @Test("Where the end of use is announced a short IdleStopSec does not make the daemon poll")
  func announcedEndIsNotPolled() {
    var policy = IdlePolicy(idleStop: .seconds(1), readyAt: .zero)
    #expect(
      policy.judge(.init(inUse: true, endIsAnnounced: true), at: .seconds(5)) == .rescan(after: IdlePolicy.seldom))
    #expect(
      policy.judge(.init(inUse: true, endIsAnnounced: false), at: .seconds(6)) == .rescan(after: .seconds(1)))
  }

  @Test("Where the end of use is not announced it counts from the scan that missed it: IdleStopSec is never cut short")
  func unseenEnd() {
    var policy = IdlePolicy(idleStop: .seconds(600), readyAt: .zero)
    let open = IdlePolicy.Usage(inUse: true, endIsAnnounced: false)
    #expect(policy.judge(open, at: .seconds(1000)) == .rescan(after: IdlePolicy.seldom))
    #expect(policy.judge(unused, at: .seconds(1030)) == .rescan(after: .seconds(600)))
    #expect(policy.judge(unused, at: .seconds(1630)) == .stop)
  }

  @Test("With IdleStopSec=infinity a guest is never stopped, and still scanned: it may have ceased to serve")
  func infinity() {
    var policy = IdlePolicy(idleStop: nil, readyAt: .zero)
    for usage in [unused, .init(inUse: true, endIsAnnounced: true), .init(inUse: true, endIsAnnounced: false)] {
      #expect(policy.judge(usage, at: .seconds(100_000)) == .rescan(after: IdlePolicy.seldom))
    }
    let queued = IdlePolicy.Usage(inUse: true, endIsAnnounced: true, rescanAfter: .seconds(5))
    #expect(policy.judge(queued, at: .seconds(100_000)) == .rescan(after: .seconds(5)))
  }

  @Test("However short IdleStopSec is, use whose end is not announced is not scanned without pause")
  func noBusyLoop() {
    var policy = IdlePolicy(idleStop: .zero, readyAt: .zero)
    let open = IdlePolicy.Usage(inUse: true, endIsAnnounced: false)
    #expect(policy.judge(open, at: .seconds(5)) == .rescan(after: IdlePolicy.often))
    #expect(policy.judge(unused, at: .seconds(6)) == .stop)
  }

  @Test("A datagram counts from its arrival")
  func datagramCounts() {
    var policy = IdlePolicy(idleStop: .seconds(60), readyAt: .zero)
    let at100 = IdlePolicy.Datagram(stamp: .seconds(1_700_000_000), age: .seconds(10))
    let at150 = IdlePolicy.Datagram(stamp: .seconds(1_700_000_000), age: .seconds(60))
    #expect(policy.judge(datagram(at100), at: .seconds(100)) == .rescan(after: .seconds(50)))
    #expect(policy.judge(datagram(at150), at: .seconds(150)) == .stop)
  }

  @Test("A datagram stamped in the future, by a clock that was set back, does not keep the guest awake for ever")
  func futureStampCountsOnce() {
    var policy = IdlePolicy(idleStop: .seconds(60), readyAt: .zero)
    let future = IdlePolicy.Datagram(stamp: .seconds(1_700_000_000), age: .seconds(-5000))
    #expect(policy.judge(datagram(future), at: .seconds(100)) == .rescan(after: .seconds(60)))
    #expect(policy.judge(datagram(future), at: .seconds(160)) == .stop)
  }

  private func datagram(_ datagram: IdlePolicy.Datagram) -> IdlePolicy.Usage {
    .init(inUse: false, endIsAnnounced: false, lastDatagram: datagram)
  }

  @Test("A guest that nobody uses is frozen first, and stopped when it was unused for longer, frozen or not")
  func freezesFirst() {
    var policy = IdlePolicy(idleStop: .seconds(60), idleFreeze: .seconds(10), readyAt: .zero)
    #expect(policy.judge(unused, at: .seconds(4)) == .rescan(after: .seconds(6)))
    #expect(policy.judge(unused, at: .seconds(10)) == .freeze)
    #expect(policy.judge(unused, at: .seconds(60)) == .stop)
    policy.thawed(at: .seconds(61))
    #expect(policy.judge(unused, at: .seconds(61)) == .rescan(after: .seconds(10)))
  }

  @Test("A guest that is never stopped may be frozen all the same")
  func freezesWithoutStop() {
    var policy = IdlePolicy(idleStop: nil, idleFreeze: .seconds(10), readyAt: .zero)
    #expect(policy.judge(unused, at: .seconds(4)) == .rescan(after: .seconds(6)))
    #expect(policy.judge(unused, at: .seconds(10)) == .freeze)
  }

  @Test(
    "Use whose end is not announced is looked at as soon as the guest might be frozen, not only when it might be stopped"
  )
  func unseenEndBeforeFreezing() {
    var policy = IdlePolicy(idleStop: nil, idleFreeze: .milliseconds(100), readyAt: .zero)
    let open = IdlePolicy.Usage(inUse: true, endIsAnnounced: false)
    #expect(policy.judge(open, at: .seconds(5)) == .rescan(after: IdlePolicy.often))
    #expect(policy.judge(unused, at: .seconds(6)) == .rescan(after: .milliseconds(100)))
  }

  @Test("However short IdleFreezeSec is, a guest that was thawed has a moment to serve")
  func noFreezingLoop() {
    var policy = IdlePolicy(idleStop: nil, idleFreeze: .zero, readyAt: .zero)
    policy.thawed(at: .seconds(5))
    #expect(policy.judge(unused, at: .seconds(5)) == .rescan(after: IdlePolicy.shortestFreeze))
  }

  @Test(
    "Silent connections keep a guest from being frozen, except with IdleFreeze=with-connections; then their silence counts"
  )
  func freezesConnections() {
    let silent = IdlePolicy.Usage(inUse: true, endIsAnnounced: true, silence: .seconds(12))
    let speaking = IdlePolicy.Usage(inUse: true, endIsAnnounced: true, silence: .seconds(3))
    let opaque = IdlePolicy.Usage(inUse: true, endIsAnnounced: true)
    var without = IdlePolicy(idleStop: .seconds(60), idleFreeze: .seconds(10), readyAt: .zero)
    #expect(without.judge(silent, at: .seconds(20)) == .rescan(after: .seconds(60)))
    var with = IdlePolicy(idleStop: .seconds(60), idleFreeze: .seconds(10), freezesConnections: true, readyAt: .zero)
    #expect(with.judge(silent, at: .seconds(20)) == .freeze)
    #expect(with.judge(speaking, at: .seconds(20)) == .rescan(after: .seconds(7)))
    #expect(with.judge(opaque, at: .seconds(20)) == .rescan(after: .seconds(60)))
    // Just thawed: the connections were silent because the guest was frozen.
    with.thawed(at: .seconds(20))
    #expect(with.judge(silent, at: .seconds(21)) == .rescan(after: .seconds(9)))
  }

  @Test("A connection that will be judged differently later is scanned then")
  func looksAgainInTime() {
    var policy = IdlePolicy(idleStop: .seconds(60), readyAt: .zero)
    let usage = IdlePolicy.Usage(inUse: true, endIsAnnounced: true, rescanAfter: .seconds(7))
    #expect(policy.judge(usage, at: .seconds(100)) == .rescan(after: .seconds(7)))
  }
}
