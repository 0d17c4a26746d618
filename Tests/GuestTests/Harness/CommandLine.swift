import ControlProtocol
import Foundation

extension World {
  /// Runs `dormouse` against this world's daemon.
  func dormouse(_ arguments: String..., seconds: Double = deadline) throws -> Outcome {
    try run([Built.dormouse] + arguments + ["--runtime", runtime], seconds: seconds)
  }

  /// `dormouse list --json`.
  func list() throws -> [GuestSummary] { try decode("list", "--json") }

  /// One element of it.
  func summary(_ name: String) throws -> GuestSummary {
    let summary = try list().first { $0.name == name }
    guard let summary else { throw Trouble("\(name) is not in the list") }
    return summary
  }

  /// `dormouse status NAME --json`.
  func status(_ name: String) throws -> GuestStatus { try decode("status", name, "--json") }

  /// What the guest printed last: `dormouse status NAME --console`.
  func console(_ name: String) throws -> String {
    let status: GuestStatus = try decode("status", name, "--console", "--json")
    return status.console ?? ""
  }

  /// `dormouse why NAME --json`.
  func why(_ name: String) throws -> GuestExplanation { try decode("why", name, "--json") }

  /// Returns when the guest is ready.
  func wake(_ name: String) throws { try succeed("wake", name) }

  /// Returns when the guest is gone, whoever used it.
  func sleep(_ name: String) throws { try succeed("sleep", name, "--now") }

  /// Waits until the guest is in `state`.
  func wait(_ name: String, _ state: GuestState, seconds: Double = deadline) throws {
    guard let daemon else { throw Trouble("no daemon runs") }
    try daemon.until("\(name) is \(state)", seconds: seconds) { try summary(name).state == state }
  }

  private func succeed(_ arguments: String...) throws {
    let outcome = try run([Built.dormouse] + arguments + ["--runtime", runtime])
    guard outcome.succeeded else {
      throw Trouble("dormouse \(arguments.joined(separator: " ")): \(outcome.status): \(outcome.errors)")
    }
  }

  private func decode<Value: Decodable>(_ arguments: String...) throws -> Value {
    let outcome = try run([Built.dormouse] + arguments + ["--runtime", runtime])
    guard outcome.succeeded else {
      throw Trouble("dormouse \(arguments.joined(separator: " ")): \(outcome.status): \(outcome.errors)")
    }
    return try JSONDecoder().decode(Value.self, from: Data(outcome.output.utf8))
  }
}
