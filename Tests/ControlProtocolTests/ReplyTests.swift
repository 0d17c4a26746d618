import FoundationEssentials
import Testing

@testable import ControlProtocol

@Suite("Replies arrive as they were sent")
struct ReplyTests {
  @Test("Every reply is read as it was written", arguments: Samples.replies)
  func roundTrip(call: Call, reply: Reply) throws {
    let bytes = try reply.encoded()
    #expect(bytes.firstIndex(of: 0) == bytes.count - 1)
    #expect(try call.decodeReply(Array(bytes.dropLast())) == reply)
  }

  @Test("A client is told whether further replies follow")
  func continues() throws {
    for continues in [false, true] {
      let bytes = try Reply.guests(GuestChanges(removed: ["web"])).encoded(continues: continues)
      #expect(try Call.continues(after: Array(bytes.dropLast())) == continues)
      #expect(String(decoding: bytes, as: UTF8.self).contains(#""continues""#) == continues)
    }
  }

  @Test("A reply that cannot be written as JSON is an error")
  func notEncodable() {
    var status = GuestStatus(name: "web", state: .active, since: Samples.at)
    status.lastWake = WakeReport(cause: .request, at: Samples.at)
    status.lastWake?.readyMs = .nan
    #expect(throws: NotEncodable()) { try Reply.status(status).encoded() }
  }

  @Test("A key without a value is null, and a missing one is read as null")
  func nulls() throws {
    let sleeping = GuestSummary(name: "b", state: .inactive, since: Timestamp(microseconds: 7))
    let text = String(decoding: try Reply.list([sleeping]).encoded().dropLast(), as: UTF8.self)
    #expect(
      text
        == #"{"parameters":{"guests":[{"connections":0,"name":"b","note":null,"pid":null,"since":7,"sockets":[],"state":"inactive","wakes":0}]}}"#
    )
    let shorter = Array(text.replacing(#""pid":null,"#, with: "").utf8)
    #expect(try Call.list.decodeReply(shorter) == .list([sleeping]))
  }

  @Test("An error of another interface, and what is no reply, are told apart")
  func unexpected() {
    #expect(throws: UnexpectedReply.error("io.dormouse.Manager.Overslept")) {
      try Call.list.decodeReply(Array(#"{"error":"io.dormouse.Manager.Overslept"}"#.utf8))
    }
    #expect(throws: UnexpectedReply.error("org.varlink.service.MethodNotFound")) {
      try Call.list.decodeReply(
        Array(#"{"error":"org.varlink.service.MethodNotFound","parameters":{"method":"x"}}"#.utf8))
    }
    for text in [
      "", "{}", #"{"parameters":{}}"#, #"{"parameters":{"guests":[{}]}}"#,
      #"{"error":"io.dormouse.Manager.WakeFailed"}"#, #"{"error":7}"#, #"{"parameters":{"guests":[]},"continues":7}"#,
      #"{"error":"io.dormouse.Manager.WakeFailed","parameters":{"name":"a","reason":7}}"#,
    ] {
      #expect(throws: UnexpectedReply.malformed) { try Call.list.decodeReply(Array(text.utf8)) }
    }
  }

  @Test("The longest possible status is still far below what a client takes")
  func longest() throws {
    var status = Samples.status
    status.console = String(repeating: "\u{1}", count: 64 * 1024)
    #expect(try Reply.status(status).encoded().count < MessageBuffer.replyLimit / 8)
  }
}
