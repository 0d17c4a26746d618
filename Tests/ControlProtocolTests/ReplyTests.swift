import FoundationEssentials
import Testing

@testable import ControlProtocol

@Suite("Replies arrive as they were sent")
struct ReplyTests {
  @Test(
    "Every reply survives the wire",
    arguments: [
      (.list, .list([])),
      (.list, .list([Samples.status.summary, GuestSummary(name: "b", state: .failed, since: Samples.at)])),
      (.status(name: "web", console: true), .status(Samples.status)),
      (.status(name: "b", console: true), .status(GuestStatus(name: "b", state: .frozen, since: Samples.at))),
      (.why(name: "web"), .why(Samples.explanation)), (.wake(name: "web"), .done),
      (.sleep(name: "a", now: true), .done), (.freeze(name: "a", now: false), .done), (.thaw(name: "a"), .done),
      (.attach(name: "a", terminal: 1, size: nil), .attached),
      (.attach(name: "a", terminal: 1, size: nil), .failure(.consoleFailed(name: "a", reason: "it is frozen"))),
      (.why(name: "x"), .failure(.noSuchGuest(name: "x"))),
      (.wake(name: "x"), .failure(.wakeFailed(name: "x", reason: "mounting tmpfs on /dev: Operation not permitted"))),
      (.freeze(name: "x", now: false), .failure(.freezeFailed(name: "x", reason: "it is inactive"))),
      (.sleep(name: "x", now: false), .failure(.sleepFailed(name: "x", reason: "1 connection"))),
    ] as [(Call, Reply)])
  func roundTrip(call: Call, reply: Reply) throws {
    let bytes = try reply.encoded()
    #expect(bytes.firstIndex(of: 0) == bytes.count - 1)
    #expect(try call.decodeReply(Array(bytes.dropLast())) == reply)
  }

  @Test("A key that has nothing to say is null, and a missing one is read as null")
  func nulls() throws {
    let sleeping = GuestSummary(name: "b", state: .inactive, since: Timestamp(microseconds: 7))
    let text = String(decoding: try Reply.list([sleeping]).encoded().dropLast(), as: UTF8.self)
    #expect(
      text
        == #"{"parameters":{"guests":[{"connections":0,"name":"b","pid":null,"since":7,"sockets":[],"state":"inactive","wakes":0}]}}"#
    )
    let shorter = Array(text.replacing(#""pid":null,"#, with: "").utf8)
    #expect(try Call.list.decodeReply(shorter) == .list([sleeping]))
  }

  @Test("An error of another interface, and what is no reply, are told apart")
  func unexpected() {
    #expect(throws: UnexpectedReply.error("org.varlink.service.MethodNotFound")) {
      try Call.list.decodeReply(
        Array(#"{"error":"org.varlink.service.MethodNotFound","parameters":{"method":"x"}}"#.utf8))
    }
    for text in [
      "", "{}", #"{"parameters":{}}"#, #"{"parameters":{"guests":[{}]}}"#,
      #"{"error":"io.dormouse.Manager.WakeFailed"}"#,
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
