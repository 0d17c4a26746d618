import FoundationEssentials
import Testing

@testable import ControlProtocol

@Suite("The interface's description and the Swift types are the same")
struct InterfaceTests {
  private let description = InterfaceText(Interface.manager.description)

  @Test(
    "Every struct has the fields of the description, of their types",
    arguments: [
      ("GuestSummary", Samples.status.summary), ("GuestStatus", Samples.status), ("SocketStatus", Samples.socket),
      ("LimitStatus", Samples.status.limits.first),
      ("WakeReport", Samples.wake), ("StopReport", Samples.stop), ("GuestReport", Samples.report),
      ("GuestMessage", Samples.status.messages.first), ("GuestCounters", GuestCounters()),
      ("GuestExplanation", Samples.explanation), ("ConnectionStatus", Samples.explanation.connections.first),
      ("UnservedSocket", Samples.unserved), ("FailedUnit", Samples.failedUnit),
    ] as [(String, any Encodable & Sendable)])
  func structs(type: String, sample: any Encodable & Sendable) throws {
    #expect(
      description.mismatches(of: try JSONDecoder().decode(Value.self, from: JSONEncoder().encode(sample)), with: type)
        == [])
  }

  @Test("A missing key, one too many and a wrong type would be found")
  func finds() {
    #expect(description.mismatches(of: .object(["cause": .string("idle")]), with: "WakeReport").count == 7)
    #expect(
      description.mismatches(of: .object(["name": .int, "x": .int]), with: "NoSuchGuest") == [
        "x: unknown", "name: no string",
      ])
  }

  @Test("Every enumeration has the values of the description")
  func enums() {
    #expect(description.enums == Dictionary(uniqueKeysWithValues: Enumeration.all.map { ($0.name, $0.words) }))
  }

  @Test("No type of the description was left out of these tests")
  func complete() {
    let types = Set(description.structs.keys).subtracting(ManagerError.types.map(\.name))
    #expect(types.count == 14 + 2 * Interface.manager.methods.count)
    #expect(Set(Samples.calls.map(\.method.name)) == Set(Interface.manager.methods.map(\.name)))
    #expect(Set(Samples.replies.map(\.0.method.name)) == Set(Interface.manager.methods.map(\.name)))
  }

  @Test("Every line of the description is code or a comment")
  func lines() {
    for interface in Interface.all {
      #expect(interface.description.contains("\ninterface \(interface.name)\n"))
      let code = interface.description.split(separator: "\n").filter { !$0.drop { $0 == " " }.hasPrefix("#") }
      #expect(
        code.allSatisfy { line in
          ["interface ", "type ", "method ", "error ", "  ", ")"].contains { line.hasPrefix($0) }
        })
    }
  }

  @Test("The description names the errors of a method and the flag that it requires")
  func notes() {
    let text = Interface.manager.description
    let errors = "NoSuchGuest, BadSetting, WakeFailed, TooManyWaiting"
    #expect(text.contains("# Errors: \(errors)\nmethod Wake(name: string) -> ()\n"))
    #expect(
      text.contains(
        """
        # [Requires 'more' flag]
        method SubscribeGuests(name: ?string) -> (guests: []GuestSummary, removed: []string)

        """))
    #expect(text.contains("# [Requires 'upgrade' flag]\nmethod Attach("))
  }

  @Test("Every method takes the parameters of the description", arguments: Samples.calls)
  func parameters(call: Call) throws {
    let request = try JSONDecoder().decode(Value.self, from: Data(try call.encoded().dropLast()))
    guard case .object(let members) = request, let parameters = members["parameters"] else {
      Issue.record("no parameters in \(request)")
      return
    }
    #expect(description.mismatches(of: parameters, with: "\(call.method.name)()") == [])
  }

  @Test("Every reply and error has the fields of the description", arguments: Samples.replies)
  func replies(call: Call, reply: Reply) throws {
    let value = try JSONDecoder().decode(Value.self, from: Data(try reply.encoded().dropLast()))
    guard case .object(let members) = value, let parameters = members["parameters"] else {
      Issue.record("no parameters in \(value)")
      return
    }
    if case .failure(let error) = reply {
      #expect(members["error"] == .string("io.dormouse.Manager.\(error.type.name)"))
      #expect(description.mismatches(of: parameters, with: error.type.name) == [])
      #expect(call.method.errors.contains { $0.name == error.type.name })
    } else {
      #expect(description.mismatches(of: parameters, with: "\(call.method.name)->") == [])
    }
  }
}
