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

  @Test("An open connection keeps the guest awake, and its end starts the clock anew")
  func connectionKeepsAwake() {
    var policy = IdlePolicy(idleStop: .seconds(60), readyAt: .zero)
    #expect(
      policy.judge(.init(inUse: true, endIsAnnounced: true), at: .seconds(500)) == .rescan(after: .seconds(60)))
    policy.connectionEnded(at: .seconds(510))
    #expect(policy.judge(unused, at: .seconds(510)) == .rescan(after: .seconds(60)))
    #expect(policy.judge(unused, at: .seconds(570)) == .stop)
  }

  @Test("Where the end of use is announced, a short IdleStopSec does not make the daemon poll")
  func announcedEndIsNotPolled() {
    var policy = IdlePolicy(idleStop: .seconds(1), readyAt: .zero)
    #expect(
      policy.judge(.init(inUse: true, endIsAnnounced: true), at: .seconds(5)) == .rescan(after: IdlePolicy.seldom))
    #expect(
      policy.judge(.init(inUse: true, endIsAnnounced: false), at: .seconds(6)) == .rescan(after: .seconds(1)))
  }

  @Test("Use whose end is not announced counts until the scan that missed it: IdleStopSec is never cut short")
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
    "Use whose end is not announced is scanned as soon as the guest might be frozen, not only when it might be stopped"
  )
  func unseenEndBeforeFreezing() {
    var policy = IdlePolicy(idleStop: nil, idleFreeze: .milliseconds(100), readyAt: .zero)
    let open = IdlePolicy.Usage(inUse: true, endIsAnnounced: false)
    #expect(policy.judge(open, at: .seconds(5)) == .rescan(after: IdlePolicy.often))
    #expect(policy.judge(unused, at: .seconds(6)) == .rescan(after: .milliseconds(100)))
  }

  @Test("A guest that could not be frozen is tried again after a growing pause, and is stopped when that is due")
  func freezePause() {
    var policy = IdlePolicy(idleStop: .seconds(60), idleFreeze: .seconds(5), readyAt: .zero)
    #expect(policy.judge(unused, at: .seconds(5)) == .freeze)
    policy.freezeFailed(at: .seconds(7))
    #expect(policy.judge(unused, at: .seconds(7)) == .rescan(after: .milliseconds(500)))
    #expect(policy.judge(unused, at: .milliseconds(7500)) == .freeze)
    for _ in 1...6 { policy.freezeFailed(at: .seconds(10)) }
    #expect(policy.judge(unused, at: .seconds(10)) == .rescan(after: .seconds(32)))
    policy.freezeFailed(at: .seconds(42))
    // A failed attempt is no use.
    #expect(policy.judge(unused, at: .seconds(42)) == .rescan(after: .seconds(18)))
    #expect(policy.judge(unused, at: .seconds(60)) == .stop)
  }

  @Test("A guest that was frozen and thawed has its failed attempts forgotten")
  func freezeSucceeded() {
    var policy = IdlePolicy(idleStop: nil, idleFreeze: .seconds(5), readyAt: .zero)
    for _ in 1...5 { policy.freezeFailed(at: .seconds(10)) }
    policy.thawed(at: .seconds(100))
    policy.freezeFailed(at: .seconds(105))
    #expect(policy.judge(unused, at: .milliseconds(105_500)) == .freeze)
  }

  @Test("Silent connections of a guest that could not be frozen do not have it tried at once either")
  func freezePauseWithConnections() {
    let silent = IdlePolicy.Usage(inUse: true, endIsAnnounced: true, silence: .seconds(12))
    var policy = IdlePolicy(idleStop: nil, idleFreeze: .seconds(5), freezesConnections: true, readyAt: .zero)
    policy.freezeFailed(at: .seconds(20))
    #expect(policy.judge(silent, at: .seconds(20)) == .rescan(after: .milliseconds(500)))
    #expect(policy.judge(silent, at: .milliseconds(20_500)) == .freeze)
  }

  @Test("However short IdleFreezeSec is, a guest that was thawed has a moment to serve")
  func noFreezingLoop() {
    var policy = IdlePolicy(idleStop: nil, idleFreeze: .zero, readyAt: .zero)
    policy.thawed(at: .seconds(5))
    #expect(policy.judge(unused, at: .seconds(5)) == .rescan(after: IdlePolicy.shortestFreeze))
  }

  @Test("Silent connections keep a guest from being frozen, unless its file says otherwise; then their silence counts")
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

  @Test("A connection that will be judged otherwise later is scanned then")
  func rescansInTime() {
    var policy = IdlePolicy(idleStop: .seconds(60), readyAt: .zero)
    let usage = IdlePolicy.Usage(inUse: true, endIsAnnounced: true, rescanAfter: .seconds(7))
    #expect(policy.judge(usage, at: .seconds(100)) == .rescan(after: .seconds(7)))
  }

  @Test("Clients who are parked have the guest stopped at once when no connection is open, though it is not idle yet")
  func makesWayAtOnce() {
    var policy = IdlePolicy(idleStop: .seconds(60), idleFreeze: .seconds(10), readyAt: .zero)
    let parked = IdlePolicy.Usage(inUse: false, endIsAnnounced: true, isSomebodyParked: true)
    #expect(policy.judge(parked, at: .seconds(1)) == .makeWay)
    var never = IdlePolicy(idleStop: nil, readyAt: .zero)
    #expect(never.judge(parked, at: .seconds(1)) == .makeWay)
  }

  @Test("Clients who are parked wait a moment for connections to end, however seldom the guest is scanned otherwise")
  func makesWayLater() {
    let parked = IdlePolicy.Usage(inUse: true, endIsAnnounced: true, isSomebodyParked: true)
    var policy = IdlePolicy(idleStop: .seconds(60), readyAt: .zero)
    #expect(policy.judge(parked, at: .seconds(100)) == .rescan(after: IdlePolicy.often))
    #expect(policy.judge(parked, at: .milliseconds(100_999)) == .rescan(after: IdlePolicy.often))
    #expect(policy.judge(parked, at: .seconds(101)) == .makeWay)
    // A connection that is to be scanned sooner still is.
    var sooner = IdlePolicy(idleStop: .seconds(60), readyAt: .zero)
    var usage = parked
    usage.rescanAfter = .milliseconds(300)
    #expect(sooner.judge(usage, at: .seconds(100)) == .rescan(after: .milliseconds(300)))
  }

  @Test("Clients who are no longer parked are forgotten: those who are parked later wait as long as the first")
  func makesWayForNobody() {
    let parked = IdlePolicy.Usage(inUse: true, endIsAnnounced: true, isSomebodyParked: true)
    let open = IdlePolicy.Usage(inUse: true, endIsAnnounced: true)
    var policy = IdlePolicy(idleStop: .seconds(60), readyAt: .zero)
    _ = policy.judge(parked, at: .seconds(100))
    #expect(policy.judge(open, at: .milliseconds(100_500)) == .rescan(after: .seconds(60)))
    #expect(policy.judge(parked, at: .seconds(102)) == .rescan(after: IdlePolicy.often))
    #expect(policy.judge(parked, at: .seconds(103)) == .makeWay)
  }

  @Test("Whether somebody is parked is no matter for a guest that is about to be stopped or frozen")
  func judgesUseAlone() {
    let parked = IdlePolicy.Usage(inUse: false, endIsAnnounced: true, isSomebodyParked: true)
    var policy = IdlePolicy(idleStop: .seconds(60), readyAt: .zero)
    #expect(policy.judgeUse(parked, at: .seconds(20)) == .rescan(after: .seconds(40)))
    #expect(policy.judgeUse(parked, at: .seconds(60)) == .stop)
  }

  @Test("A frozen guest without connections stays frozen until IdleStopSec has passed since its last use, or for ever")
  func frozenWithoutConnections() {
    var policy = IdlePolicy(idleStop: .seconds(60), idleFreeze: .seconds(10), readyAt: .zero)
    policy.connectionEnded(at: .seconds(100))
    #expect(policy.frozenEnd(hasConnections: false, at: .seconds(110)) == .stop(after: .seconds(50)))
    // It is frozen later than it might have been stopped, as somebody asked for it.
    #expect(policy.frozenEnd(hasConnections: false, at: .seconds(500)) == .stop(after: .zero))
    let never = IdlePolicy(idleStop: nil, idleFreeze: .seconds(10), readyAt: .zero)
    #expect(never.frozenEnd(hasConnections: false, at: .seconds(110)) == .never)
  }

  @Test("A frozen guest with connections runs for a moment before its clients take it for dead")
  func frozenWithConnections() {
    let policy = IdlePolicy(idleStop: .seconds(60), idleFreeze: .seconds(10), readyAt: .zero)
    #expect(policy.frozenEnd(hasConnections: true, at: .seconds(500)) == .thaw(after: .seconds(60)))
    let never = IdlePolicy(idleStop: nil, idleFreeze: .seconds(10), readyAt: .zero)
    #expect(never.frozenEnd(hasConnections: true, at: .zero) == .thaw(after: IdlePolicy.longestWithConnections))
  }
}
