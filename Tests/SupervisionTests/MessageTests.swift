import ControlProtocol
import Foundation
import GuestSpec
import Testing
import UnitSyntax

@testable import Supervision

@Suite("Log messages")
struct MessageTests {
  @Test("a message ID has 128 bits, as 32 hexadecimal digits in lower case")
  func format() {
    for id in MessageID.allCases {
      #expect(id.rawValue.wholeMatch(of: /[0-9a-f]{32}/) != nil, "\(id): \(id.rawValue)")
    }
  }

  @Test("no two messages share a message ID")
  func unique() {
    #expect(Set(MessageID.allCases.map(\.rawValue)).count == MessageID.allCases.count)
    // Two messages could share the table's case instead.
    for message in Self.samples { #expect("\(message.line.id)" == Self.name(of: message)) }
  }

  @Test("a message keeps the message ID that it was given")
  func golden() {
    for (name, id) in goldenMessageIDs {
      #expect(MessageID(rawValue: id).map { "\($0)" } == name)
    }
    #expect(goldenMessageIDs.count == MessageID.allCases.count, "a new message also belongs in GoldenMessageIDs.swift")
  }

  @Test("docs/messages.md lists the message IDs, and the fields of each message, as they are")
  func documentation() throws {
    var documented: [String: Set<String>] = [:]
    for row in try Self.rows(ofColumns: 4) where row[0] != "MESSAGE_ID" {
      let id = try #require(MessageID(rawValue: row[0]), "no message has the ID \(row[0])")
      #expect(row[1] == "\(id)")
      #expect(documented[row[1]] == nil, "\(id) stands there twice")
      documented[row[1]] = Set(row[3].split(separator: ", ").map(String.init))
    }
    var actual: [String: Set<String>] = [:]
    for line in Self.samples.map(\.line) { actual["\(line.id)", default: []].formUnion(line.fields.map(\.name)) }
    for id in MessageID.allCases {
      #expect(actual["\(id)"] != nil, "MessageTests.samples has no \(id)")
      #expect(documented["\(id)"] == actual["\(id)"], "\(id)")
    }
  }

  @Test("docs/messages.md explains every field of a message")
  func fieldsDocumented() throws {
    let documented = Set(try Self.rows(ofColumns: 2).map { $0[0] }).subtracting(["field"])
    let subject = Log.Subject(guest: "web", instance: InstanceName("web", 3)).fields
    #expect(documented == Set((Self.samples.flatMap(\.line.fields) + subject).map(\.name)))
  }

  @Test("an explanation in units/dormouse.catalog is of a message, and names only fields that the message has")
  func catalog() throws {
    let entries = try Self.text(of: "units/dormouse.catalog").components(separatedBy: "\n-- ").dropFirst()
    #expect(entries.count > 10)
    for entry in entries {
      let id = try #require(MessageID(rawValue: String(entry.prefix(32))), "no message has this ID: \(entry)")
      let lines = Self.samples.map(\.line).filter { $0.id == id }
      let fields = Set(lines.flatMap(\.fields).map(\.name)).union(["DORMOUSE_GUEST"])
      for name in entry.matches(of: /@([A-Z_]+)@/).map(\.1) { #expect(fields.contains(String(name)), "\(id): \(name)") }
    }
  }

  @Test("a message in the journal has its ID, its guest, its instance and its values as fields")
  func fields() {
    let message = Message.haltRequested(signal: "SIGRTMIN+3", .request)
    let subject = Log.Subject(guest: "web", instance: InstanceName("web", 3))
    let fields = Log.fields(of: message.line, about: subject).map { "\($0.name)=\($0.value)" }
    #expect(
      fields == [
        "MESSAGE_ID=\(MessageID.haltRequested.rawValue)", "DORMOUSE_GUEST=web", "DORMOUSE_INSTANCE=web.3",
        "DORMOUSE_SIGNAL=SIGRTMIN+3", "DORMOUSE_CAUSE=request",
      ])
    #expect(message.text == "stopping on request (SIGRTMIN+3)")
  }

  @Test("a duration in a field is in microseconds, and as long as can be when it is longer")
  func durations() {
    #expect(LogField.duration(.milliseconds(1500)).value == "1500000")
    #expect(LogField.duration(.seconds(Int64.max)).value == "\(Int64.max)")
  }

  @Test("the name of a field is one that journald accepts", arguments: samples.map(\.line))
  func fieldNames(_ line: LogLine) {
    for field in line.fields {
      #expect(field.name.wholeMatch(of: /[A-Z][A-Z0-9_]{0,63}/) != nil, "\(field.name)")
    }
  }

  @Test("a message is one line that ends without a full stop", arguments: samples.map(\.line))
  func sentences(_ line: LogLine) {
    #expect(!line.text.isEmpty && !line.text.contains("\n") && !line.text.hasSuffix("."), "\(line.text)")
  }

  /// The rows of the tables of docs/messages.md that have this many columns, without the marks for code.
  private static func rows(ofColumns count: Int) throws -> [[String]] {
    try text(of: "docs/messages.md").split(separator: "\n").filter { $0.hasPrefix("| ") }.map { line in
      line.dropFirst().dropLast().split(separator: "|", omittingEmptySubsequences: false).map {
        $0.replacing("`", with: "").trimmingCharacters(in: .whitespaces)
      }
    }.filter { $0.count == count }
  }

  private static func text(of path: String) throws -> String {
    let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
    return try String(contentsOf: root.appending(path: path), encoding: .utf8)
  }

  /// The name of a message's case, or of its remark's.
  private static func name(of message: Message) -> String {
    let value: Any = if case .remark(let remark) = message { remark } else { message }
    return Mirror(reflecting: value).children.first?.label ?? "\(value)"
  }

  /// At least one of each message, with every value that it can have.
  private static let samples: [Message] =
    [
      .asleep(sockets: ["[::]:80", "/run/web"], passed: true), .asleep(sockets: [], passed: false),
      .waking(.connection, socket: "[::]:80"), .preparing(what: "x"), .started(pid: 12, after: .milliseconds(3)),
      .ready(after: .seconds(1)),
      .idle(since: .seconds(10)), .frozen(asked: true), .frozen(asked: false),
      .thawed(socket: "[::]:80", after: .seconds(3)), .cannotFreeze(error: "e"), .cannotThaw(error: "e"),
      .stopCancelled(use: nil), .selfShutdown, .shutdownAborted(last: false), .shutdownAborted(last: true),
      .cannotMonitorData(error: "e"), .cannotReclaim(error: "e"), .linesDropped(count: 3),
      .cannotPark(error: "e"), .cannotUnpark(error: "e"), .haltRequested(signal: "SIGTERM", .idle),
      .haltUnheard(signal: "SIGTERM"),
      .killing(setting: "TimeoutStopSec=", after: .seconds(90)), .stopped(how: "powered off"), .scopeStops,
      .paused(reason: "cannot start", pause: .seconds(1), failures: 2, refusing: false),
      .paused(reason: "cannot start", pause: .seconds(8), failures: 5, refusing: true), .foundOrphan(pid: 12),
      .cannotEnumerateOrphans(error: "e"), .noTimer(error: "e"),
      .notAdopted(socket: "[::]:80", .notTaken),
      .listenerClosed(socket: "[::]:80", waiting: 2, .letGo(unit: "a.socket")),
      .repaired(socket: "[::]:80"),
      .cannotScan(error: "e"), .cannotConfine(error: "e"), .guestReported(error: 24), .outOfMemory(kills: 1),
      .problem(Diagnostic(file: "web.guest", line: 3, .error, "Boot=maybe")),
      .problem(Diagnostic(file: "web.guest", .warning, "is empty")),
      .noGuests(searchPath: ["/etc/dormouse"]), .noSuchGuest("web", searchPath: ["/etc/dormouse"]),
      .notPassed(socket: "[::]:80"),
      .notWanted(name: "web.socket", address: "[::]:80"), .cannotStore(error: "e"),
      .cannotTakeSocket(name: "web.socket", error: "e"), .cannotTakeStored(name: "dormouse.socket.1", reason: "r"),
      .added, .removed, .changed(later: true), .changed(later: false), .listening(path: "/run/dormouse/io.dormouse"),
      .noControllers(reason: "r"), .reloading, .ending, .endingNow, .endingAsleep,
      .signalIgnored(pid: 1, unit: "u"), .cannotRun(error: "e"),
    ]
    + [
      InstanceRemark.noDevicePolicy, .unmet(settings: "CPUWeight=", controller: "cpu", reason: "r"),
      .notCarriedOut("Foo= has no effect"), .sameMachineID(as: "other"),
      .forwarding(to: ["10.0.0.2", "fd00::2"]), .forwarding(to: []), .cannotForward(error: "e"),
      .notFromLoopback(error: "e"), .noScope(reason: "r"), .notRegistered(reason: "r"), .cannotEnd(error: "e"),
    ].map(Message.remark)
}
