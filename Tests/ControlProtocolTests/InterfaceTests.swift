import FoundationEssentials
import Testing

@testable import ControlProtocol

@Suite("The interface's description and the Swift types are the same")
struct InterfaceTests {
  private let description = InterfaceText(ManagerInterface.description)

  @Test(
    "Every struct has the fields of the description, of their types",
    arguments: [
      ("GuestSummary", Samples.status.summary), ("GuestStatus", Samples.status), ("SocketStatus", Samples.socket),
      ("WakeReport", Samples.wake), ("StopReport", Samples.stop), ("GuestReport", Samples.report),
      ("GuestMessage", Samples.status.messages.first), ("GuestCounters", GuestCounters()),
      ("GuestExplanation", Samples.explanation), ("ConnectionStatus", Samples.explanation.connections.first),
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

  @Test(
    "Every enum has the values of the description",
    arguments: [
      ("GuestState", GuestState.allCases.map(\.rawValue)), ("SocketType", SocketType.allCases.map(\.rawValue)),
      ("WakeCause", WakeCause.allCases.map(\.rawValue)), ("StopCause", StopCause.allCases.map(\.rawValue)),
      ("MessageLevel", MessageLevel.allCases.map(\.rawValue)),
      ("LossReason", LossReason.allCases.map(\.rawValue)),
    ])
  func enums(type: String, values: [String]) {
    #expect(description.enums[type] == values)
  }

  @Test("No type of the description was left out of these tests")
  func complete() {
    #expect(description.enums.count == 6)
    let types = Set(description.structs.keys)
    #expect(
      types.subtracting(["NoSuchGuest", "WakeFailed", "SleepFailed", "FreezeFailed", "ConsoleFailed"]).count == 11 + 2
        * 9)
  }

  @Test(
    "Every method takes the parameters of the description",
    arguments: [
      .list, .status(name: "web", console: true), .why(name: "web"), .wake(name: "web"), .sleep(name: "w", now: true),
      .freeze(name: "w", now: true), .thaw(name: "w"),
      .attach(name: "w", terminal: 1, size: TerminalSize(rows: 25, columns: 80)),
      .attach(name: "w", terminal: nil, size: nil),
      .resize(name: "w", terminal: nil, size: TerminalSize(rows: 25, columns: 80)),
    ] as [Call])
  func parameters(call: Call) throws {
    let request = try JSONDecoder().decode(Value.self, from: Data(try call.encoded().dropLast()))
    guard case .object(let members) = request, let parameters = members["parameters"] else {
      Issue.record("no parameters in \(request)")
      return
    }
    #expect(description.mismatches(of: parameters, with: "\(call.method)()") == [])
  }

  @Test(
    "Every reply and error has the fields of the description",
    arguments: [
      ("List->", .list([Samples.status.summary])), ("Status->", .status(Samples.status)),
      ("Why->", .why(Samples.explanation)), ("Wake->", .done), ("Sleep->", .done), ("Freeze->", .done),
      ("Thaw->", .done), ("Attach->", .attached), ("Resize->", .done),
      ("ConsoleFailed", .failure(.consoleFailed(name: "x", reason: "y"))),
      ("NoSuchGuest", .failure(.noSuchGuest(name: "x"))),
      ("WakeFailed", .failure(.wakeFailed(name: "x", reason: "y"))),
      ("FreezeFailed", .failure(.freezeFailed(name: "x", reason: "y"))),
      ("SleepFailed", .failure(.sleepFailed(name: "x", reason: "y"))),
    ] as [(String, Reply)])
  func replies(type: String, reply: Reply) throws {
    let value = try JSONDecoder().decode(Value.self, from: Data(try reply.encoded().dropLast()))
    guard case .object(let members) = value, let parameters = members["parameters"] else {
      Issue.record("no parameters in \(value)")
      return
    }
    #expect(description.mismatches(of: parameters, with: type) == [])
    if case .failure = reply { #expect(members["error"] == .string("io.dormouse.Manager.\(type)")) }
  }
}
