import Testing

@testable import Listeners

@Suite("The number of a guest's connections")
struct ConnectionTallyTests {
  @Test("A connection is counted once, whether a scan found it, its end was reported, or both")
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

  @Test("Connections that ended without an answer are counted apart, whether a scan found them or not")
  func unanswered() {
    var tally = ConnectionTally()
    tally.found([1], others: [])
    tally.ended(1, isAnswered: false)
    tally.ended(2, isAnswered: false)
    tally.ended(3, isAnswered: true)
    #expect(tally.accepted == 3)
    #expect(tally.unanswered == 2)
  }

  @Test("Connections whose end is not reported are counted by the scans alone")
  func unannounced() {
    var tally = ConnectionTally()
    for found: Set<UInt64> in [[1, 2], [2], [2, 3], []] { tally.found([], others: found) }
    #expect(tally.accepted == 3)
  }

  @Test("Connections whose end the kernel could not report are forgotten")
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
