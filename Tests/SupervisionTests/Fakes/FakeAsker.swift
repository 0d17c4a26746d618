import ControlProtocol

@testable import Supervision

/// Answers for a guest as the test wishes.
final class FakeAsker: Asker {
  /// What the guest answers; nil: nothing.
  var units: GuestUnits?
  /// Whether the answer waits for `answerNow`.
  var isSlow = false
  /// The process IDs that were asked, in order.
  private(set) var asked: [Int32] = []
  /// What they were asked about last.
  private(set) var addresses: [String] = []
  private var pending: [(GuestUnits?) -> Void] = []

  func ask(_ pid: Int32, about addresses: [String], _ answer: @escaping (GuestUnits?) -> Void) {
    asked.append(pid)
    self.addresses = addresses
    if isSlow { pending.append(answer) } else { answer(units) }
  }

  func answerNow() {
    let answers = pending
    pending = []
    for answer in answers { answer(units) }
  }
}
