import ControlProtocol
import Linux
import Systemd

/// Asks the systemd in a running guest about its units. A frozen guest must not be asked: its socket accepts the question, and no answer
/// comes.
package protocol Asker: AnyObject {
  /// Asks for the units that have failed, and for those that listen at one of the addresses (as systemd writes them: `Stream [::]:80`). The
  /// event loop never waits for the answer. `answer` is called once, with nil if the guest does not answer in time or does not run systemd.
  func ask(_ pid: Int32, about addresses: [String], _ answer: @escaping (GuestUnits?) -> Void)
}

/// Asks by `dormouse-ask`, a program in the same directory as this one, so that a process without privileges reads what the guest answers.
final class HelperAsker: Asker {
  private let loop: EventLoop
  /// Nil when the path of this program is unknown.
  private let program: String?
  /// The running processes, by the guest's PID 1. There is at most one for each guest: if it hangs in a file system of the guest's, where
  /// no signal reaches it, no second one follows.
  private var processes: [Int32: HelperProcess] = [:]
  private var waiting: [Int32: Waiting] = [:]

  private struct Waiting {
    var answers: [(GuestUnits?) -> Void] = []
    var deadline: EventSource?
  }

  /// The program itself ends after 300 ms.
  private static let patience = Duration.milliseconds(500)

  init(_ loop: EventLoop) {
    self.loop = loop
    program = OwnProgram.directory.map { $0 + "/dormouse-ask" }
  }

  func ask(_ pid: Int32, about addresses: [String], _ answer: @escaping (GuestUnits?) -> Void) {
    if waiting[pid] != nil {
      waiting[pid]?.answers.append(answer)
    } else if processes[pid] != nil {
      answer(nil)
    } else {
      begin(pid, addresses, answer)
    }
  }

  private func begin(_ pid: Int32, _ addresses: [String], _ answer: @escaping (GuestUnits?) -> Void) {
    guard let program else { return answer(nil) }
    do throws(SystemError) {
      let deadline = try loop.after(Self.patience) { [unowned self] in end(pid, with: nil) }
      processes[pid] = try HelperProcess(.at(program, ["\(pid)"] + addresses), deadline: Self.patience, on: loop) {
        [unowned self] in
        processes[pid] = nil
        end(pid, with: $0.succeeded ? GuestUnits(answer: $0.output) : nil)
      }
      waiting[pid] = Waiting(answers: [answer], deadline: deadline)
    } catch {
      answer(nil)
    }
  }

  private func end(_ pid: Int32, with units: GuestUnits?) {
    guard let waiting = waiting.removeValue(forKey: pid) else { return }
    for answer in waiting.answers { answer(units) }
  }
}
