import Testing

@testable import ControlProtocol

@Suite("A client has one call at a time carried out")
struct ConversationTests {
  private var conversation = Conversation(dispatcher: Dispatcher(info: ServiceInfo(version: "1")))
  private static let info = Array("{\"method\":\"org.varlink.service.GetInfo\"}\0".utf8)

  @Test("Calls come out in order, each after the reply to the one before has left, and nothing is read meanwhile")
  mutating func inOrder() throws {
    conversation.receive(try Call.wake(name: "a").encoded() + Call.wake(name: "b").encoded())
    #expect(conversation.nextCall() == .wake(name: "a"))
    #expect(conversation.isWaiting)
    #expect(conversation.wantedBytes == 0)
    #expect(conversation.nextCall() == nil)
    conversation.answer(.done)
    #expect(conversation.nextCall() == nil)
    #expect(conversation.wantedBytes == 0)
    #expect(Array(conversation.unsent) == (try Reply.done.encoded()))
    conversation.sent(3)
    #expect(conversation.nextCall() == nil)
    conversation.sent(conversation.unsent.count)
    #expect(conversation.nextCall() == .wake(name: "b"))
  }

  @Test("Questions about the service are answered one at a time, too")
  mutating func service() {
    conversation.receive(Self.info + Self.info)
    #expect(conversation.nextCall() == nil)
    let first = Array(conversation.unsent)
    #expect(first.last == 0 && first.count > 10)
    conversation.sent(first.count)
    #expect(conversation.nextCall() == nil)
    #expect(Array(conversation.unsent) == first)
    conversation.sent(first.count)
    #expect(conversation.nextCall() == nil)
    #expect(conversation.unsent.isEmpty)
    #expect(conversation.wantedBytes > 0)
  }

  @Test("A oneway call is carried out without a reply, and the next one waits for it all the same")
  mutating func oneway() throws {
    conversation.receive(Array("{\"method\":\"io.dormouse.Manager.List\",\"oneway\":true}\0".utf8))
    conversation.receive(try Call.list.encoded())
    #expect(conversation.nextCall() == .list)
    #expect(conversation.nextCall() == nil)
    #expect(conversation.isWaiting && !conversation.owesReply)
    conversation.answer(.list([]))
    #expect(conversation.unsent.isEmpty)
    #expect(conversation.nextCall() == .list)
    #expect(conversation.owesReply)
  }

  @Test("A client that ends its input is still answered, then it is over")
  mutating func halfClose() throws {
    conversation.receive(try Call.list.encoded())
    conversation.receiveEnd()
    #expect(conversation.nextCall() == .list)
    conversation.answer(.list([]))
    #expect(!conversation.isOver)
    conversation.sent(conversation.unsent.count)
    #expect(conversation.nextCall() == nil)
    #expect(conversation.isOver)
  }

  @Test("A violation ends it, after the replies that were asked for before", arguments: ["x\0", "\0"])
  mutating func violation(bytes: String) throws {
    conversation.receive(try Call.list.encoded() + Array(bytes.utf8))
    #expect(conversation.nextCall() == .list)
    conversation.answer(.list([]))
    conversation.sent(conversation.unsent.count)
    #expect(conversation.nextCall() == nil)
    #expect(conversation.isOver)
    #expect(conversation.wantedBytes == 0)
  }

  @Test("A message longer than the limit ends it, as soon as that is seen")
  mutating func tooLong() {
    while conversation.wantedBytes > 0 {
      conversation.receive(Array(repeating: UInt8(0x20), count: min(conversation.wantedBytes, 1000)))
      #expect(conversation.nextCall() == nil)
    }
    #expect(conversation.isOver)
  }

  @Test("After the reply to Attach has left there are no messages any more; another reply leaves it a conversation")
  mutating func upgrade() throws {
    let call = Call.attach(name: "web", terminal: 1, size: nil)
    for reply in [Reply.failure(.noSuchGuest(name: "web")), .attached] {
      conversation.receive(try call.encoded())
      #expect(conversation.nextCall() == call)
      conversation.answer(reply)
      #expect(!conversation.isUpgraded)
      conversation.sent(conversation.unsent.count)
      #expect(conversation.isUpgraded == (reply == .attached))
    }
    #expect(conversation.wantedBytes == 0)
    #expect(conversation.nextCall() == nil)
    #expect(!conversation.isOver)
  }

  @Test("A reply to no call is not sent")
  mutating func unasked() {
    conversation.answer(.done)
    #expect(conversation.unsent.isEmpty)
  }
}
