import ControlProtocol
import GuestSpec
import Lifecycle
import Linux
import Testing

@testable import Supervision

@Suite("What a supervisor tells of its guest")
struct SupervisorStatusTests {
  @Test("Of a guest that sleeps it tells what would wake it")
  func asleep() throws {
    let world = try World(path: true)
    world.begin()
    let why = world.supervisor.explanation
    #expect(why.state == .inactive && why.reasons.isEmpty && why.connections.isEmpty)
    #expect(why.wakeBy == world.supervisor.listeners.all.map(\.address))
  }

  @Test("Of a guest that is used it tells by whom, and of one that is not since when, and when it will be stopped")
  func use() throws {
    let world = try World()
    try world.serve()
    #expect(world.supervisor.explanation.idleSince != nil && world.supervisor.explanation.stopAt != nil)
    let client = try world.connect()
    let connection = try world.instance.accept()
    let why = world.supervisor.explanation
    #expect(why.state == .active && why.connections.count == 1 && why.idleSince == nil && why.stopAt == nil)
    #expect(world.supervisor.status(console: false).connections == 1)
    withExtendedLifetime((client.raw, connection.raw)) {}
  }

  @Test("Of a guest that has failed it tells why, and when it is tried again")
  func failed() throws {
    let world = try World()
    world.begin()
    world.backend.answer = .failure(StartFailure("no such root"))
    world.wake()
    let why = world.supervisor.explanation
    #expect(why.state == .failed && why.reasons == ["cannot start: no such root"] && why.retryAt != nil)
    world.advance(by: .milliseconds(500))
    #expect(world.supervisor.explanation.retryAt == nil && world.supervisor.explanation.state == .inactive)
  }

  @Test("Connections and refused messages of earlier instances are counted on")
  func counters() throws {
    let world = try World()
    for count in 1...2 {
      if count == 1 { try world.serve() } else { world.wake() }
      try world.instance.say("READY=1")
      let client = try world.connect()
      let connection = try world.instance.accept()
      try world.instance.refusedMessages = 3
      let counters = world.supervisor.status(console: false).counters
      #expect(counters[.accepted] == count && counters[.notifyRefused] == 3 * count)
      withExtendedLifetime((client.raw, connection.raw)) {}
      try world.instance.end()
    }
    let counters = world.supervisor.status(console: false).counters
    #expect(counters[.accepted] == 2 && counters[.notifyRefused] == 6 && counters[.stops] == 2)
  }

  @Test("Nobody is attached to the console of a guest that sleeps, is frozen, or was started by an earlier daemon")
  func console() throws {
    let (orphaned, world) = (try World(), try World())
    orphaned.begin(orphan: FakeInstance(InstanceName("web", 70)))
    world.begin()
    var reasons = [refusal(orphaned), refusal(world)]
    world.wake()
    try world.instance.say("READY=1")
    world.freeze(now: true)
    reasons.append(refusal(world))
    #expect(Set(reasons).count == 3 && !reasons.contains(nil))
  }

  /// Why nobody may be attached to the guest's console; nil when somebody may.
  private func refusal(_ world: World) -> String? {
    guard case .failure(.consoleFailed(_, let reason)) = world.supervisor.admit(to: nil, nil) else { return nil }
    return reason
  }
}
