import ControlProtocol
import Glibc
import Linux
import Testing

@Suite("Subscriptions to the states of guests")
struct SubscriptionTests {
  @Test("a subscriber gets each state of a guest once, from its start by a connection to its stop")
  func states() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      try world.addTiny("other", "ListenStream=127.0.0.1:8002")
      try world.startDaemon()
      let all = try Subscription(world)
      let one = try Subscription(world, to: "echo")
      #expect(try all.next().guests.map(\.name) == ["echo", "other"])
      #expect(try one.next().guests.map(\.state) == [.inactive])
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      #expect(try world.dormouse("freeze", "echo", "--now").succeeded)
      #expect(try world.dormouse("thaw", "echo").succeeded)
      try world.sleep("echo")
      try world.wake("other")
      for state in [GuestState.activating, .active, .frozen, .active, .deactivating, .inactive] {
        for subscription in [all, one] {
          let changes = try subscription.next()
          #expect(changes.guests.map(\.name) == ["echo"])
          #expect(changes.guests.map(\.state) == [state])
          #expect(changes.removed == [])
        }
      }
      #expect(try all.next().guests.map(\.name) == ["other"])
    }
  }

  @Test("a subscriber learns that a guest was added, and that one was removed")
  func files() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      let daemon = try world.startDaemon()
      let subscription = try Subscription(world)
      #expect(try subscription.next().guests.map(\.name) == ["echo"])
      try world.addTiny("other", "ListenStream=127.0.0.1:8002")
      daemon.child.signal(SIGHUP)
      #expect(try subscription.next().guests.map(\.name) == ["other"])
      try world.removeGuest("echo")
      daemon.child.signal(SIGHUP)
      #expect(try subscription.next() == GuestChanges(removed: ["echo"]))
    }
  }

  @Test("a subscriber gets the last state of a guest at the end of the daemon, and then the end of the connection")
  func end() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      let daemon = try world.startDaemon()
      try world.wake("echo")
      let subscription = try Subscription(world)
      #expect(try subscription.next().guests.map(\.state) == [.active])
      #expect(try daemon.stop() == .exited(0))
      for state in [GuestState.deactivating, .inactive] {
        #expect(try subscription.next().guests.map(\.state) == [state])
      }
      #expect(throws: Subscription.Ended.self) { try subscription.next() }
    }
  }

  @Test("a subscription to a guest that does not exist is an error")
  func unknown() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      try world.startDaemon()
      #expect(throws: ManagerError.noSuchGuest(name: "other")) { try Subscription(world, to: "other").next() }
    }
  }
}

/// A client that has called `SubscribeGuests`.
private final class Subscription {
  /// The error at the end of the connection.
  struct Ended: Error {}

  private let call: Call
  private let socket: OwnedFD
  private var buffer = MessageBuffer(limit: MessageBuffer.replyLimit)

  /// Connects and calls the method. A read that takes longer than the patience of the tests fails.
  init(_ world: World, to guest: String? = nil) throws {
    call = .subscribeGuests(name: guest)
    socket = try UnixStream.connect(to: world.runtime + "/io.dormouse")
    var limit = timeval(tv_sec: Int(deadline), tv_usec: 0)
    setsockopt(socket.raw, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    let request = try call.encoded()
    guard try UnixStream.send(request[...], to: socket) == request.count else { throw Trouble("the call was not sent") }
  }

  /// The changes in the next reply.
  func next() throws -> GuestChanges {
    while true {
      if let message = try buffer.next() {
        switch try call.decodeReply(message) {
        case .guests(let changes) where try Call.continues(after: message): return changes
        case .failure(let error): throw error
        case let reply: throw Trouble("\(reply) is not what a subscriber gets")
        }
      }
      guard let bytes = try UnixStream.receive(from: socket, upTo: buffer.room) else { throw Trouble("no reply came") }
      if bytes.isEmpty { throw Ended() }
      try buffer.append(bytes)
    }
  }
}
