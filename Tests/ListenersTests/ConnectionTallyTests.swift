import Testing

@testable import Listeners

@Suite("The number of a guest's connections")
struct ConnectionTallyTests {
  @Test("grows by each once, whether a look found it, its end was told, or both")
  func once() {
    var tally = ConnectionTally()
    tally.found([1, 2], others: [])
    tally.found([2, 3], others: [])
    tally.ended(1, isAnswered: true)
    tally.ended(4, isAnswered: true)
    tally.found([2, 3], others: [])
    #expect(tally.accepted == 4)
    #expect(tally.unanswered == 0)
  }

  @Test("tells apart those that ended without an answer, seen before or not")
  func unanswered() {
    var tally = ConnectionTally()
    tally.found([1], others: [])
    tally.ended(1, isAnswered: false)
    tally.ended(2, isAnswered: false)
    tally.ended(3, isAnswered: true)
    #expect(tally.accepted == 3)
    #expect(tally.unanswered == 2)
  }

  @Test("counts those whose end nobody tells by the looks alone")
  func unannounced() {
    var tally = ConnectionTally()
    for found: Set<UInt64> in [[1, 2], [2], [2, 3], []] { tally.found([], others: found) }
    #expect(tally.accepted == 3)
  }

  @Test("keeps nothing of those whose end the kernel could not tell")
  func missed() {
    var tally = ConnectionTally()
    tally.found([1, 2], others: [])
    tally.missedSome()
    tally.found([3], others: [])
    var other = ConnectionTally()
    for cookie: UInt64 in [1, 2] { other.ended(cookie, isAnswered: true) }
    other.found([3], others: [])
    #expect(tally == other)
  }
}
