import ControlProtocol
import Foundation

extension World {
  /// Runs `dormouse` with the daemon of this world.
  func dormouse(_ arguments: String..., seconds: Double = deadline) throws -> Outcome {
    try run([Built.dormouse] + arguments + ["--runtime", runtime], seconds: seconds)
  }

  /// The result of `dormouse list --json`.
  func list() throws -> [GuestSummary] { try decode("list", "--json") }

  /// One guest of `dormouse list --json`.
  func summary(_ name: String) throws -> GuestSummary {
    let summary = try list().first { $0.name == name }
    guard let summary else { throw Trouble("\(name) is not in the list") }
    return summary
  }

  /// The result of `dormouse status NAME --json`.
  func status(_ name: String) throws -> GuestStatus { try decode("status", name, "--json") }

  /// The last console output of the guest: `dormouse status NAME --console`.
  func console(_ name: String) throws -> String {
    let status: GuestStatus = try decode("status", name, "--console", "--json")
    return status.console ?? ""
  }

  /// The result of `dormouse why NAME --json`.
  func why(_ name: String) throws -> GuestExplanation { try decode("why", name, "--json") }

  /// Wakes the guest and waits until it is ready.
  func wake(_ name: String) throws { try succeed("wake", name) }

  /// Stops the guest, even if it is in use, and waits until it has stopped.
  func sleep(_ name: String) throws { try succeed("sleep", name, "--now") }

  /// Waits until the guest is in `state`.
  func wait(_ name: String, _ state: GuestState, seconds: Double = deadline) throws {
    guard let daemon else { throw Trouble("no daemon is running") }
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
