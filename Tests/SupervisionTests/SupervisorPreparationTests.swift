import ControlProtocol
import GuestSpec
import Lifecycle
import Linux
import Testing

@testable import Supervision

@Suite("The supervisor of a guest whose start is delayed by work")
struct SupervisorPreparationTests {
  private let world: World
  private let work = FakePreparation()

  init() throws {
    world = try World { $0.policy.timeoutStart = .seconds(10) }
    world.begin()
    world.backend.answer = .delayed(work)
  }

  private func done(_ failure: StartFailure? = nil) throws {
    world.backend.answer = .started
    let report = try #require(work.done)
    report(failure)
    world.loop.turn()
  }

  @Test("It starts when the work is done, however long that takes, and serves the client that woke it")
  func prepared() throws {
    let client = try world.connect()
    #expect(world.state.word == .activating && !world.state.mayRun && world.backend.instances.isEmpty)
    #expect(world.supervisor.explanation.reasons == [work.words])
    world.advance(by: .seconds(600))
    #expect(world.pauses.isEmpty && world.backend.starts.count == 1)
    try done()
    try world.instance.say("READY=1")
    #expect(world.state.rest == .serving && world.history.wakes == 1)
    #expect(world.history.lastWake?.cause == .connection)
    withExtendedLifetime(client.raw) {}
  }

  @Test("It has no place among the guests that start while the work lasts, and asks for one afterwards")
  func place() throws {
    world.wake()
    #expect(world.context.places.startingCount == 0)
    try done()
    #expect(world.context.places.startingCount == 1)
  }

  @Test("Its deadline begins when the work is done")
  func deadline() throws {
    world.wake()
    world.advance(by: .seconds(60))
    try done()
    world.advance(by: .milliseconds(9999))
    #expect(world.state.haltCause == nil)
    world.advance(by: .milliseconds(1))
    #expect(world.state.haltCause == .startTimeout)
  }

  @Test("It pauses when the work fails, says why to whoever waits, and the next start tries again")
  func failed() throws {
    world.wake()
    try done(StartFailure("chown etc/passwd below /guests/web: Read-only file system"))
    #expect(world.state.rest == .failed && world.pauses == [1] && world.supervisor.live == nil)
    #expect(world.supervisor.lastFailure?.contains("etc/passwd") == true && world.replies.count == 1)
    world.wake()
    #expect(world.backend.starts.count == 2)
  }

  @Test("A start that needs the same work again after it was done fails, instead of working without end")
  func again() throws {
    world.wake()
    let report = try #require(work.done)
    report(nil)
    world.loop.turn()
    #expect(world.state.rest == .failed && world.backend.starts.count == 2)
  }

  @Test("Told to sleep, given up or changed meanwhile, it ends the work", arguments: ["sleep", "release", "change"])
  func abandoned(how: String) throws {
    weak var released: FakePreparation?
    do {
      let work = FakePreparation()
      released = work
      world.backend.answer = .delayed(work)
    }
    world.wake()
    world.backend.answer = .started
    #expect(released?.done != nil)
    switch how {
    case "sleep": world.sleep()
    case "release": world.supervisor.release(because: .daemon)
    default: world.supervisor.handle(.changed)
    }
    #expect(released == nil)
    #expect(world.state.isAsleep == (how == "sleep") && world.state.isUnbound == (how == "release"))
    #expect(world.backend.instances.count == (how == "change" ? 1 : 0))
  }
}
