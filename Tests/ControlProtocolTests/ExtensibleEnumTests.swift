import FoundationEssentials
import Testing

@testable import ControlProtocol

/// An enumeration of the interface, for tests that are about all of them.
struct Enumeration: Sendable, CustomTestStringConvertible {
  let name: String
  /// The words of the values that this version knows.
  let words: [String]
  /// Reads a JSON value and writes it again; says whether it is one of those that this version knows.
  let reread: @Sendable (_ json: String) throws -> (json: String, isKnown: Bool)

  static let all = [
    Enumeration("GuestState", GuestState.self), Enumeration("SocketType", SocketType.self),
    Enumeration("WakeCause", WakeCause.self), Enumeration("StopCause", StopCause.self),
    Enumeration("MessageLevel", MessageLevel.self), Enumeration("LossReason", LossReason.self),
    Enumeration("UnservedReason", UnservedReason.self),
  ]

  private init<Value: ExtensibleEnum>(_ name: String, _ type: Value.Type) {
    self.name = name
    words = type.known.map(\.rawValue)
    reread = { json in
      let values = try JSONDecoder().decode([Value].self, from: Data("[\(json)]".utf8))
      return (String(decoding: try JSONEncoder().encode(values), as: UTF8.self), Value.known.contains(values[0]))
    }
  }

  var testDescription: String { name }
}

@Suite("An enumeration of the interface")
struct ExtensibleEnumTests {
  @Test("reads each of its words as a value of its own", arguments: Enumeration.all)
  func known(enumeration: Enumeration) throws {
    #expect(Set(enumeration.words).count == enumeration.words.count)
    for word in enumeration.words {
      #expect(try enumeration.reread(#""\#(word)""#) == (#"["\#(word)"]"#, true))
    }
  }

  @Test("keeps a word of a later version, and takes it for none of its own", arguments: Enumeration.all)
  func unknown(enumeration: Enumeration) throws {
    for word in ["hibernating", "", "Active"] {
      #expect(try enumeration.reread(#""\#(word)""#) == (#"["\#(word)"]"#, false))
    }
  }

  @Test("is malformed when it is no word", arguments: Enumeration.all)
  func malformed(enumeration: Enumeration) {
    for json in ["1", "null", "{}", "[]"] {
      #expect(throws: DecodingError.self) { try enumeration.reread(json) }
    }
  }

  @Test("of a later version does not keep a client from reading the rest of the reply")
  func reply() throws {
    let reply = Reply.list([GuestSummary(name: "web", state: .unrecognized("hibernating"), since: Samples.at)])
    let bytes = try reply.encoded()
    #expect(String(decoding: bytes, as: UTF8.self).contains(#""state":"hibernating""#))
    #expect(try Call.list.decodeReply(Array(bytes.dropLast())) == reply)
  }
}
