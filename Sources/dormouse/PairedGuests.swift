import ControlProtocol
import Glibc
import Linux

/// A sleeping guest whose sockets systemd holds: `dormouse@NAME.socket` listens, and no daemon runs that could be asked.
struct PairedGuest: Equatable {
  let name: String
  /// Since when systemd listens.
  let since: Timestamp
  /// In the order of the unit.
  let sockets: [SocketStatus]

  var socketUnit: String { "dormouse@\(name).socket" }
  var note: String { "asleep, its socket is held by systemd (\(socketUnit))" }

  /// Finds all of them, by name. There are none without systemd, and none where `runtime` is not the directory of systemd's units,
  /// /run/dormouse.
  static func find(_ runtime: String) -> [String: PairedGuest] {
    guard runtime == "/run/dormouse", (try? FileStatus("/run/systemd/system", followingLinks: false)) != nil else {
      return [:]
    }
    let properties = "--property=Id,ActiveState,StateChangeTimestamp,Listen"
    guard let (_, output) = try? runProgram(systemctl, ["show", properties, "--timestamp=unix", "dormouse@*.socket"])
    else { return [:] }
    return listening(String(decoding: output, as: UTF8.self))
  }

  /// Reads what `systemctl show` prints: blocks of `KEY=VALUE` with an empty line between two units.
  static func listening(_ output: String) -> [String: PairedGuest] {
    var guests: [String: PairedGuest] = [:]
    for block in output.split(separator: "\n", omittingEmptySubsequences: false).split(separator: "") {
      func values(_ key: String) -> [String] {
        block.filter { $0.hasPrefix(key + "=") }.map { String($0.dropFirst(key.count + 1)) }
      }
      guard let id = values("Id").first, id.hasPrefix("dormouse@"), id.hasSuffix(".socket"),
        values("ActiveState") == ["active"]
      else { continue }
      let name = String(id.dropFirst("dormouse@".count).dropLast(".socket".count))
      let seconds = values("StateChangeTimestamp").first.flatMap { Int64($0.drop { $0 == "@" }) }
      guests[name] = PairedGuest(
        name: name, since: seconds.map { Timestamp(sinceEpoch: .seconds($0)) } ?? .now,
        sockets: values("Listen").map { socket($0, of: id) })
    }
    return guests
  }

  /// `127.0.0.1:80 (Stream)`
  private static func socket(_ text: String, of unit: String) -> SocketStatus {
    let end = text.lastIndex(of: " ") ?? text.endIndex
    let kind = text[end...].filter(\.isLetter)
    var socket = SocketStatus(
      address: String(text[..<end]), kind: SocketType(rawValue: kind.prefix(1).lowercased() + kind.dropFirst()),
      name: unit)
    socket.passed = true
    return socket
  }

  private static let systemctl = "/usr/bin/systemctl"

  var summary: GuestSummary {
    var summary = GuestSummary(name: name, state: .inactive, since: since)
    summary.sockets = sockets.map(\.address)
    summary.note = note
    return summary
  }

  /// Answers for the daemon that does not run. `wake` starts the guest's service, as systemd does at a connection.
  ///
  /// - Throws: `Failure` when only a daemon could carry the call out.
  func answer(_ call: Call, _ daemons: Daemons) throws(Failure) -> Reply {
    switch call {
    case .status:
      var status = GuestStatus(name: name, state: .inactive, since: since)
      status.sockets = sockets
      status.messages = [GuestMessage(at: since, level: .note, text: note)]
      return .status(status)
    case .why:
      var explanation = GuestExplanation(name: name, state: .inactive, since: since)
      explanation.reasons = [note]
      explanation.wakeBy = sockets.map(\.address)
      return .why(explanation)
    case .wake:
      try start()
      return try daemons.askDaemon(call, of: name)
    case .sleep: return .done
    case .list, .freeze, .thaw, .subscribeGuests, .attach, .resize, .reload: throw .asleepUnderSystemd(self)
    }
  }

  private func start() throws(Failure) {
    let unit = "dormouse@\(name).service"
    let status: ExitStatus
    do throws(SystemError) {
      status = try runProgram(Self.systemctl, ["start", unit]).status
    } catch {
      throw .system(error)
    }
    if status != .exited(0) { throw .notStarted(unit: unit) }
  }
}
