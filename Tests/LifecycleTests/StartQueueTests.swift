import Lifecycle
import Testing

extension StartQueue {
  /// Asks for a place for each of these guests, which are named by a letter.
  fileprivate mutating func request(each guests: String) -> [Bool] { guests.map { request("\($0)") } }

  /// The guests whose turn it is now.
  fileprivate mutating func granted() -> String {
    var names = ""
    while let guest = next() { names += guest }
    return names
  }
}

@Suite("The queue of guests that want to start")
struct StartQueueTests {
  private var queue = StartQueue(limit: 2)

  @Test("As many guests as may start at once have a place, and the others get theirs in the order in which they asked")
  mutating func order() {
    let first = queue.request(each: "abcdc")
    #expect(first == [true, true, false, false, false])
    let nobody = queue.granted()
    #expect(nobody == "")
    queue.leave("b")
    let second = queue.granted()
    #expect(second == "c")
    queue.leave("a")
    queue.leave("c")
    let third = queue.granted()
    #expect(third == "d" && queue.starting == ["d"])
  }

  @Test("A guest that starts again and again does not come before one that waits")
  mutating func fairness() {
    let first = queue.request(each: "abc")
    #expect(first == [true, true, false])
    // It asks before the place is given to the other.
    queue.leave("a")
    let again = queue.request(each: "a")
    #expect(again == [false])
    let next = queue.granted()
    #expect(next == "c")
  }

  @Test("A guest that no longer waits gets no place, and one that has a place has only one")
  mutating func leaves() {
    let first = queue.request(each: "aabc")
    #expect(first == [true, true, true, false])
    queue.leave("c")
    queue.leave("a")
    let nobody = queue.granted()
    #expect(nobody == "" && queue.starting == ["b"])
  }

  @Test("A limit that grows lets more guests start, and one of nothing lets one")
  mutating func limit() {
    let first = queue.request(each: "abcde")
    #expect(first == [true, true, false, false, false])
    queue.setLimit(3)
    let more = queue.granted()
    #expect(more == "c")
    queue.setLimit(0)
    #expect(queue.limit == 1 && queue.starting == ["a", "b", "c"])
    for guest in ["a", "b"] { queue.leave(guest) }
    let nobody = queue.granted()
    #expect(nobody == "")
    queue.leave("c")
    let one = queue.granted()
    #expect(one == "d")
  }
}
