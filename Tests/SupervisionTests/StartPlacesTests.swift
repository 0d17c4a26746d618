import Fakes
import Glibc
import Linux
import Testing

@testable import Supervision

@Suite("The places of the guests that may start at once")
struct StartPlacesTests {
  private let timers = FakeTimers()

  @Test("A guest that never gets ready gives its place back after five seconds")
  func neverReady() {
    let places = StartPlaces(limit: 1, timers)
    var granted: [String] = []
    #expect(places.request(for: "slow") {})
    #expect(!places.request(for: "quick") { granted.append("quick") })
    #expect(places.startingCount == 1)
    timers.advance(by: .milliseconds(4999))
    #expect(granted.isEmpty)
    timers.advance(by: .milliseconds(1))
    #expect(granted == ["quick"])
    places.leave("slow")
    #expect(places.startingCount == 1)
  }

  @Test("A guest that is ready gives its place back at once")
  func ready() {
    let places = StartPlaces(limit: 1, timers)
    var granted: [String] = []
    _ = places.request(for: "first") {}
    _ = places.request(for: "second") { granted.append("second") }
    places.leave("first")
    #expect(granted == ["second"])
    places.leave("second")
    #expect(timers.next == nil)
  }

  @Test("Thousands of guests that fail as soon as it is their turn are tried one after the other")
  func failures() {
    let places = StartPlaces(limit: 1, timers)
    var granted = 0
    _ = places.request(for: "first") {}
    for number in 0..<2_000 {
      _ = places.request(for: "guest-\(number)") {
        granted += 1
        places.leave("guest-\(number)")
      }
    }
    places.leave("first")
    #expect(granted == 2_000 && places.startingCount == 0)
  }

  @Test("Without memory for a timer a place is free again at once: starts that wait for ever would be worse")
  func noTimer() {
    let places = StartPlaces(limit: 1, timers)
    timers.failure = SystemError("timer", errno: ENOMEM)
    #expect(places.request(for: "first") {})
    #expect(places.request(for: "second") {})
  }

  @Test("More places are used as soon as there are more")
  func limit() {
    let places = StartPlaces(limit: 1, timers)
    var granted: [String] = []
    _ = places.request(for: "a") {}
    for name in ["b", "c", "d"] { _ = places.request(for: name) { granted.append(name) } }
    places.setLimit(3)
    #expect(granted == ["b", "c"])
  }

  @Test("a guest that waits is not started by the places that others give back when the daemon ends")
  func closed() {
    let places = StartPlaces(limit: 1, timers)
    var granted = false
    _ = places.request(for: "first") {}
    _ = places.request(for: "second") { granted = true }
    places.close()
    places.leave("first")
    #expect(!granted)
  }
}
