import Fakes
import Lifecycle
import Linux
import Testing

@testable import Supervision

@Suite("The deadlines of a guest")
struct DeadlinesTests {
  private let timers = FakeTimers()
  private let deadlines: Deadlines
  private let passed = Passed()

  private final class Passed {
    var all: [Timer] = []
  }

  init() { deadlines = Deadlines(timers) }

  private func arm(_ timer: Timer, _ delay: Duration) throws(SystemError) {
    try deadlines.arm(timer, after: delay) { [passed] in passed.all.append(timer) }
  }

  @Test("Deadlines pass once each, in the order in which they are due")
  func order() throws {
    try arm(.stop, .seconds(20))
    try arm(.start, .seconds(10))
    timers.advance(by: .seconds(30))
    #expect(passed.all == [.start, .stop] && timers.next == nil)
  }

  @Test("A deadline that is armed again starts anew")
  func again() throws {
    try arm(.stop, .seconds(10))
    timers.advance(by: .seconds(6))
    try arm(.stop, .seconds(10))
    timers.advance(by: .seconds(9))
    #expect(passed.all.isEmpty)
    timers.advance(by: .seconds(1))
    #expect(passed.all == [.stop])
  }

  @Test("A deadline that is disarmed does not pass, and the others do")
  func disarmed() throws {
    try arm(.pause(failures: 1), .seconds(10))
    try arm(.pause(failures: 2), .seconds(10))
    deadlines.disarm(.pause(failures: 1))
    deadlines.disarm(.drain)
    timers.advance(by: .seconds(10))
    #expect(passed.all == [.pause(failures: 2)])
  }

  @Test("A deadline can be armed again in its own handler")
  func inside() throws {
    try deadlines.arm(.rescan, after: .milliseconds(10)) { [deadlines, passed] in
      #expect(throws: Never.self) {
        try deadlines.arm(.rescan, after: .milliseconds(10)) { passed.all.append(.rescan) }
      }
    }
    timers.advance(by: .milliseconds(19))
    #expect(passed.all.isEmpty)
    timers.advance(by: .milliseconds(1))
    #expect(passed.all == [.rescan])
  }

  @Test("A deadline for which there is no timer is an error, and one whose owner is gone does not pass")
  func none() throws {
    timers.failure = SystemError("timer", errno: 12)
    #expect(throws: SystemError("timer", errno: 12)) { try arm(.stop, .seconds(1)) }
    timers.failure = nil
    var others: Deadlines? = Deadlines(timers)
    try others?.arm(.stop, after: .seconds(1)) { Issue.record("passed after its end") }
    others = nil
    timers.advance(by: .seconds(2))
    #expect(timers.next == nil)
  }
}
