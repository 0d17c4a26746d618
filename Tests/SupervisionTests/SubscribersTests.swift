import ControlProtocol
import Testing

@testable import Supervision

@Suite("Subscribers")
struct SubscribersTests {
  private var subscribers = Subscribers()

  private static func call(_ number: Int) -> ControlServer.PendingCall {
    ControlServer.PendingCall(connection: number, serial: 1)
  }

  @Test("are notified of a guest when its state differs from the one that was reported last")
  mutating func changes() throws {
    try subscribers.add(Self.call(1), guest: nil, states: [("web", .inactive)])
    #expect(subscribers.report("web", .inactive) == [])
    #expect(subscribers.report("web", .activating) == [Self.call(1)])
    #expect(subscribers.report("web", .activating) == [])
    try subscribers.add(Self.call(2), guest: nil, states: [("web", .activating)])
    #expect(subscribers.report("web", .activating) == [])
    #expect(subscribers.report("web", .active) == [Self.call(1), Self.call(2)])
  }

  @Test("are notified once that a guest was removed, and again when one of its name was added")
  mutating func removal() throws {
    try subscribers.add(Self.call(1), guest: nil, states: [("web", .inactive)])
    #expect(subscribers.report("web", nil) == [Self.call(1)])
    #expect(subscribers.report("web", nil) == [])
    #expect(subscribers.report("web", .inactive) == [Self.call(1)])
    #expect(subscribers.report("mail", nil) == [])
  }

  @Test("to one guest are notified of no other")
  mutating func named() throws {
    try subscribers.add(Self.call(1), guest: "web", states: [("web", .inactive)])
    #expect(subscribers.report("mail", .active) == [])
    #expect(subscribers.report("web", .active) == [Self.call(1)])
  }

  @Test("have a quota, and one that has disconnected frees its place")
  mutating func quota() throws {
    for number in 0..<Subscribers.limit { try subscribers.add(Self.call(number), guest: nil, states: []) }
    #expect(throws: ManagerError.tooManySubscribers) {
      try subscribers.add(Self.call(Subscribers.limit), guest: nil, states: [])
    }
    subscribers.removeAll { $0 != Self.call(3) }
    try subscribers.add(Self.call(Subscribers.limit), guest: nil, states: [])
    let told = subscribers.report("web", .active)
    #expect(told.count == Subscribers.limit)
    #expect(!told.contains(Self.call(3)) && told.contains(Self.call(Subscribers.limit)))
  }
}
