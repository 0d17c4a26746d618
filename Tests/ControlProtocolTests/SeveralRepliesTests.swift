import Testing

@testable import ControlProtocol

@Suite("A call with several replies")
struct SeveralRepliesTests {
  private var conversation = Conversation(dispatcher: Dispatcher(info: ServiceInfo(version: "1")))

  private static let call = Call.subscribeGuests(name: nil)

  private static func change(_ number: Int) -> Reply { .guests(GuestChanges(removed: ["guest \(number)"])) }

  /// Sends everything that is unsent, and returns the replies in it, each with whether further ones follow.
  private mutating func drain() throws -> [(reply: Reply, continues: Bool)] {
    var bytes: [UInt8] = []
    while !conversation.unsent.isEmpty {
      bytes += conversation.unsent.prefix(7)
      conversation.sent(min(conversation.unsent.count, 7))
    }
    return try bytes.split(separator: 0).map { message in
      (try Self.call.decodeReply(Array(message)), try Call.continues(after: Array(message)))
    }
  }

  private mutating func subscribe() throws {
    conversation.receive(try Self.call.encoded())
    #expect(conversation.nextCall() == Self.call)
  }

  @Test("sends them in order, and all but the last say that another follows")
  mutating func inOrder() throws {
    try subscribe()
    for number in 0..<3 { #expect(conversation.answer(continuing: Self.change(number)) == true) }
    #expect(conversation.isWaiting && conversation.owesReply)
    conversation.answer(Self.change(3))
    #expect(!conversation.isWaiting)
    let replies = try drain()
    #expect(replies.map(\.reply) == (0...3).map(Self.change))
    #expect(replies.map(\.continues) == [true, true, true, false])
    #expect(conversation.wantedBytes > 0)
  }

  @Test("keeps the next call waiting until the last reply has been sent")
  mutating func nextCall() throws {
    conversation.receive(try Self.call.encoded() + Call.list.encoded())
    #expect(conversation.nextCall() == Self.call)
    #expect(conversation.answer(continuing: Self.change(0)) == true)
    _ = try drain()
    #expect(conversation.nextCall() == nil)
    conversation.answer(Self.change(1))
    #expect(conversation.nextCall() == nil)
    _ = try drain()
    #expect(conversation.nextCall() == .list)
  }

  @Test("whose client does not read them ends with an error, which comes in place of those that were not sent")
  mutating func tooSlow() throws {
    try subscribe()
    let limit = Conversation.queueLimit
    for number in 0...limit { #expect(conversation.answer(continuing: Self.change(number)) == true) }
    // A message that was begun is sent whole.
    conversation.sent(5)
    #expect(conversation.answer(continuing: Self.change(limit + 1)) == false)
    #expect(!conversation.isWaiting)
    #expect(conversation.answer(continuing: Self.change(limit + 2)) == false)
    conversation.sent(conversation.unsent.count)
    let replies = try drain()
    #expect(replies.map(\.reply) == [.failure(.subscriberTooSlow)])
    #expect(replies.map(\.continues) == [false])
    try subscribe()
    #expect(conversation.answer(continuing: Self.change(0)) == true)
    #expect(try drain().map(\.reply) == [Self.change(0)])
  }

  @Test("holds as many as the queue has places, however often it was full before")
  mutating func queue() throws {
    try subscribe()
    for _ in 0..<5 {
      for number in 0...Conversation.queueLimit {
        #expect(conversation.answer(continuing: Self.change(number)) == true)
      }
      #expect(try drain().map(\.reply) == (0...Conversation.queueLimit).map(Self.change))
    }
  }

  @Test("is the only one that can have them: another call and none at all get nothing")
  mutating func single() throws {
    #expect(conversation.answer(continuing: Self.change(0)) == false)
    conversation.receive(try Call.list.encoded())
    #expect(conversation.nextCall() == .list)
    #expect(conversation.answer(continuing: .list([])) == false)
    #expect(conversation.unsent.isEmpty && conversation.isWaiting)
  }

  @Test("is still served when its client ends its side of the connection")
  mutating func halfClose() throws {
    conversation.receive(try Self.call.encoded())
    conversation.receiveEnd()
    #expect(conversation.nextCall() == Self.call)
    #expect(conversation.answer(continuing: Self.change(0)) == true)
    #expect(try drain().map(\.reply) == [Self.change(0)])
    #expect(!conversation.isOver)
    conversation.answer(.failure(.noSuchGuest(name: "web")))
    _ = try drain()
    #expect(conversation.nextCall() == nil)
    #expect(conversation.isOver)
  }
}
