import ControlProtocol
import Testing

@testable import Supervision

@Suite("A subscription over the control socket")
struct ControlSubscriptionTests {
  private static let all = Call.subscribeGuests(name: nil)

  /// The next reply, with whether further ones follow.
  private static func next(_ client: ControlClient) throws -> (reply: Reply, continues: Bool) {
    let message = try #require(try client.receive())
    return (try all.decodeReply(message), try Call.continues(after: message))
  }

  /// A client that has had the first reply.
  private static func subscriber(_ runtime: String, to call: Call = all) throws -> ControlClient {
    let client = try ControlClient(runtime)
    try client.send(call)
    let (reply, continues) = try next(client)
    guard case .guests = reply else { throw ManagerError.tooManySubscribers }
    #expect(continues)
    return client
  }

  @Test("starts with all guests, then has each change, and each reply announces another")
  func changes() async throws {
    try await withControlDaemon { daemon, runtime in
      let guest = GuestSummary(name: "web", state: .inactive, since: Timestamp(microseconds: 0))
      await daemon.add(guest)
      let client = try ControlClient(runtime)
      try client.send(Self.all)
      #expect(try Self.next(client) == (.guests(GuestChanges(guests: [guest])), true))
      await daemon.change("web", to: .inactive)
      await daemon.change("web", to: .active)
      await daemon.change("web", to: nil)
      let active = GuestSummary(name: "web", state: .active, since: Timestamp(microseconds: 1))
      #expect(try Self.next(client) == (.guests(GuestChanges(guests: [active])), true))
      #expect(try Self.next(client) == (.guests(GuestChanges(removed: ["web"])), true))
      await daemon.close()
      #expect(try client.receive() == nil)
    }
  }

  @Test("is refused without the flag more, and the connection stays usable")
  func expectedMore() async throws {
    try await withControlDaemon { daemon, runtime in
      let client = try ControlClient(runtime)
      try client.send(Array("{\"method\":\"io.dormouse.Manager.SubscribeGuests\"}\0".utf8))
      #expect(throws: UnexpectedReply.error("org.varlink.service.ExpectedMore")) { try client.receive(Self.all) }
      try client.send(.list)
      #expect(try client.receive(.list) == .list([]))
      #expect(await daemon.calls == [.list])
    }
  }

  @Test("ends with an error when its client does not read; others have every change, and it may subscribe again")
  func tooSlow() async throws {
    try await withControlDaemon { daemon, runtime in
      let slow = try Self.subscriber(runtime)
      let other = try Self.subscriber(runtime)
      // More than a socket and the queue hold.
      let changes = 5000
      for number in 1...changes {
        await daemon.change("web", to: number % 2 == 0 ? .inactive : .active, wakes: number)
        guard case .guests(let change) = try Self.next(other).reply else { break }
        #expect(change.guests.first?.wakes == number)
      }
      var wakes = 0
      var last = try Self.next(slow)
      while case .guests(let change) = last.reply {
        #expect(last.continues)
        // What it was sent before the end has no gap.
        #expect(change.guests.first?.wakes == wakes + 1)
        wakes += 1
        last = try Self.next(slow)
      }
      #expect(last == (.failure(.subscriberTooSlow), false))
      #expect(wakes > Conversation.queueLimit && wakes < changes)
      try slow.send(Self.all)
      #expect(try Self.next(slow) == (.guests(GuestChanges()), true))
    }
  }

  @Test("counts against a limit that leaves room for other clients, and frees its place at its end")
  func quota() async throws {
    try await withControlDaemon { daemon, runtime in
      var clients = try (0..<Subscribers.limit).map { _ in try Self.subscriber(runtime) }
      let next = try ControlClient(runtime)
      try next.send(Self.all)
      #expect(try Self.next(next) == (.failure(.tooManySubscribers), false))
      try next.send(.list)
      #expect(try next.receive(.list) == .list([]))
      clients.removeFirst()
      // The server learns of it before it reads a request that is sent afterwards.
      try next.send(.list)
      #expect(try next.receive(.list) == .list([]))
      try next.send(Self.all)
      #expect(try Self.next(next) == (.guests(GuestChanges()), true))
      await daemon.change("web", to: .active)
      for client in clients + [next] { #expect(try Self.next(client).continues) }
    }
  }

  @Test("keeps its place when more clients come than are served at once")
  func flood() async throws {
    try await withControlDaemon { daemon, runtime in
      let client = try Self.subscriber(runtime)
      for _ in 0...(2 * ControlServer.connectionLimit) {
        let other = try ControlClient(runtime)
        try other.send(.list)
        #expect(try other.receive(.list) == .list([]))
      }
      let idle = try (0...ControlServer.connectionLimit).map { _ in try ControlClient(runtime) }
      try idle[ControlServer.connectionLimit].send(.list)
      #expect(try idle[ControlServer.connectionLimit].receive(.list) == .list([]))
      await daemon.change("web", to: .active)
      #expect(try Self.next(client).continues)
    }
  }
}
