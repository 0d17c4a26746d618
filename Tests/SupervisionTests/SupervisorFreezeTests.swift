import Glibc
import GuestSpec
import Lifecycle
import Linux
import Testing

@testable import Supervision

@Suite("The supervisor of a guest that may be frozen")
struct SupervisorFreezeTests {
  private let world: World

  init() throws {
    world = try World {
      $0.policy.idleFreeze = .seconds(10)
      $0.policy.idleReclaim = true
    }
    try world.serve()
  }

  private var freezing: FakeFreezing {
    get throws { try #require(try world.instance.fakeFreezing) }
  }

  /// The addresses whose clients had the guest thawed, by the log; nil for each thaw by request.
  private var thawCauses: [String?] {
    world.captured.entries.compactMap { entry -> String?? in
      guard case .thawed(let socket, _) = entry.message else { return nil }
      return .some(socket)
    }
  }

  @Test("An idle guest is frozen, and stopped when it has been idle for longer, in this order")
  func order() throws {
    world.advance(by: .milliseconds(9999))
    #expect(world.state.rest == .serving)
    world.advance(by: .milliseconds(1))
    #expect(world.state.rest == .frozen && world.history.counters[.freezes] == 1)
    #expect(try freezing.calls == [.freeze, .reclaimMemory])
    #expect(try freezing.preferred == Set(world.supervisor.listeners.all.map(\.inode)))
    #expect(try world.instance.signals.isEmpty)
    world.advance(by: .seconds(50))
    #expect(try freezing.calls == [.freeze, .reclaimMemory, .thaw(staged: true)])
    #expect(try world.instance.signals == [.realtime(3)])
    let order = world.captured.entries.map(\.message).filter { $0.isFrozen || $0.isIdle || $0.isHaltRequested }
    #expect(order.map(\.isFrozen) == [true, false, false] && order.map(\.isIdle) == [false, true, false])
    #expect(world.captured.count(\.isThawed) == 0)
    try world.instance.end()
    #expect(world.state.isAsleep && world.history.lastStop?.cause == .idle)
  }

  @Test("A client thaws a frozen guest, which serves him")
  func thawed() throws {
    world.advance(by: .seconds(10))
    let client = try world.connect()
    #expect(world.state.rest == .serving && thawCauses.count == 1)
    #expect(try freezing.calls.last == .thaw(staged: true))
    #expect(try world.instance.serves())
    #expect(world.backend.starts.count == 1)
    // He is to blame for this thaw, and not for the next.
    world.freeze(now: true)
    world.supervisor.thaw()
    #expect(thawCauses == [world.supervisor.listeners.all[0].address, nil])
    // Its time begins anew.
    world.advance(by: .seconds(5))
    #expect(world.state.rest == .serving)
    withExtendedLifetime(client.raw) {}
  }

  @Test("Whoever has a guest frozen that is in use is not refused because somebody else asks for less")
  func askedTwice() throws {
    let client = try world.connect()
    let connection = try world.instance.accept()
    try freezing.isSlow = true
    let before = world.replies.count
    world.freeze(now: true)
    world.freeze()
    #expect(world.replies.count == before)
    try freezing.complete()
    #expect(world.state.rest == .frozen && world.replies.dropFirst(before) == [.done, .done])
    withExtendedLifetime((client.raw, connection.raw)) {}
  }

  @Test("A client who came while the guest was being frozen has it thawed at once")
  func cameMeanwhile() throws {
    try freezing.isSlow = true
    world.advance(by: .seconds(10))
    #expect(world.state.isFrozenOrFreezing && world.state.rest == nil)
    let client = try world.connectQuietly()
    try freezing.complete()
    #expect(world.state.rest == .serving && world.history.counters[.freezes] == 0)
    #expect(try freezing.calls == [.freeze, .thaw(staged: true)])
    withExtendedLifetime(client.raw) {}
  }

  @Test("A guest whose processes take a while to freeze is frozen when they are; one that takes too long goes on")
  func slow() throws {
    try freezing.isSlow = true
    world.advance(by: .seconds(10))
    try freezing.complete()
    #expect(world.state.rest == .frozen)
    world.supervisor.thaw()
    world.advance(by: .seconds(10))
    #expect(world.state.isFrozenOrFreezing && world.state.rest == nil)
    world.advance(by: .seconds(2))
    #expect(world.state.rest == .serving && world.captured.count(\.isCannotFreeze) == 1)
    #expect(try freezing.calls.last == .thaw(staged: true))
    // That it has succeeded after all comes too late.
    try freezing.complete()
    #expect(world.state.rest == .serving)
  }

  @Test("A guest that cannot be frozen goes on, and is stopped when its time has come")
  func cannot() throws {
    try freezing.failure = SystemError("cgroup.freeze", errno: 5)
    world.advance(by: .seconds(10))
    #expect(world.state.rest == .serving && world.captured.count(\.isCannotFreeze) == 1)
    for _ in 1...70 { world.advance(by: .seconds(1)) }
    #expect(world.history.counters[.freezes] == 0)
    #expect(try !world.instance.serves())
  }

  @Test("A guest that is frozen on request although somebody uses it answers when it is, and runs on when it is thawed")
  func asked() throws {
    let client = try world.connect()
    let connection = try world.instance.accept()
    world.freeze()
    guard case .failure(.freezeFailed) = try #require(world.replies.last) else {
      Issue.record("frozen although somebody uses it: \(world.replies)")
      return
    }
    #expect(world.state.rest == .serving)
    world.freeze(now: true)
    #expect(world.state.rest == .frozen && world.replies.last == .done)
    world.supervisor.thaw()
    #expect(world.state.rest == .serving)
    withExtendedLifetime((client.raw, connection.raw)) {}
  }

  @Test("A client that was connected when its guest was frozen on request has it thawed by what he sends")
  func askedAndSent() throws {
    let client = try world.connect()
    let connection = try world.instance.accept()
    world.freeze(now: true)
    world.advance(by: .seconds(5))
    #expect(world.state.rest == .frozen)
    #expect(write(client.raw, "x", 1) == 1)
    world.advance(by: .seconds(1))
    #expect(world.state.rest == .serving && thawCauses == [nil])
    withExtendedLifetime((client.raw, connection.raw)) {}
  }

  @Test("A frozen guest that is given up for good is thawed, so that it can halt")
  func release() throws {
    world.advance(by: .seconds(10))
    #expect(world.state.rest == .frozen)
    world.supervisor.release(because: .daemon)
    #expect(try freezing.calls.last == .thaw(staged: true) && world.instance.signals == [.realtime(3)])
    try world.instance.end()
    #expect(world.state.isUnbound && world.supervisor.listeners.all.isEmpty)
  }

  @Test("Nothing of a frozen instance survives into the next one, which is thawed by its own clients only")
  func nothingSurvives() throws {
    weak let live = world.supervisor.live
    world.advance(by: .seconds(10))
    let client = try world.connect()
    #expect(world.captured.count(\.isThawed) == 1)
    world.freeze(now: true)
    #expect(world.state.rest == .frozen && live != nil)
    try world.instance.end(.killed(signal: 9))
    #expect(live == nil && world.supervisor.live == nil)
    #expect(world.state.rest == .failed)
    world.advance(by: .milliseconds(500))
    try world.instance.say("READY=1")
    #expect(world.backend.instances.count == 2 && world.state.rest == .serving)
    #expect(world.supervisor.live?.thawCause == nil && world.supervisor.live?.isDiverted == false)
    #expect(try world.instance.serves())
    world.freeze(now: true)
    world.captured.forget()
    world.supervisor.thaw()
    #expect(thawCauses == [nil])
    withExtendedLifetime(client.raw) {}
  }
}
