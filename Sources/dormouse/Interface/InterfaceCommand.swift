import ArgumentParser
import ControlProtocol
import Interface
import Linux

struct InterfaceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "interface",
    abstract: "Check a running guest against systemd's Container Interface.",
    discussion: """
      Each row is a requirement of https://systemd.io/CONTAINER_INTERFACE or \
      https://systemd.io/WRITING_VM_AND_CONTAINER_MANAGERS, with its level: M must, S should, O may, N must not, \
      - description only. The guest is observed from outside, which needs root.

      The exit status is 0 if no row of level M, S or N is missed, otherwise 1. With --json, prints an array of objects: \
      id, level, requirement, verdict (holds, missed, not applicable, unknown), reason (or null).
      """)

  @OptionGroup var guest: GuestArgument
  @OptionGroup var runtime: RuntimeOption
  @ParentCommand var dormouse: Dormouse
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    var isMissed = false
    try reportingFailure {
      () throws(Failure) in
      let seen = try observe()
      let rows = Row.all.map { JudgedRow($0, seen) }
      isMissed = rows.contains { $0.isMissed }
      if json { return printJSON(rows) }
      var table = Table(["ROW", "LEVEL", "VERDICT", "REQUIREMENT"])
      for row in rows {
        table.add([row.id, row.level, row.verdict, row.requirement + (row.reason.map { " (\($0))" } ?? "")])
      }
      print(table.text, terminator: "")
    }
    if isMissed { throw ExitCode.failure }
  }

  private func observe() throws(Failure) -> Observation {
    let daemons = runtime.daemons(dormouse.runtime)
    guard case .status(let status) = try daemons.ask(.status(name: guest.name, console: false), of: guest.name) else {
      throw .otherReply
    }
    guard let pid = status.pid else { throw .notRunning(name: guest.name) }
    let daemon = try daemons.process(of: guest.name)
    let observer = Observer(
      status: status, guest: ProcessFacts(pid: Observer.payload(of: pid)), daemon: ProcessFacts(pid: daemon.pid),
      runtime: daemon.runtime)
    let others = try daemons.list()
    do throws(SystemError) {
      return try observer.observe(others: others)
    } catch {
      throw .system(error)
    }
  }
}

/// A judged row, in the form in which it is printed.
private struct JudgedRow: Encodable {
  let id: String
  let level: String
  let requirement: String
  let verdict: String
  @OrNull var reason: String?
  let isMissed: Bool

  init(_ row: Row, _ seen: Observation) {
    (id, level, requirement) = (row.id, row.level.rawValue, row.requirement)
    let judged = row.judge(seen)
    let words = judged.words
    verdict = words.verdict
    if case .missed = judged { isMissed = row.level.isRequired } else { isMissed = false }
    _reason = OrNull(wrappedValue: words.reason)
  }

  private enum CodingKeys: CodingKey {
    case id, level, requirement, verdict, reason
  }
}
