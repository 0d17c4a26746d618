import ControlProtocol
import Linux
import Systemd

/// Asks the systemd of a guest that runs about its units. Never of a frozen guest, which takes the question and is silent.
package protocol Asker: AnyObject {
  /// Asks for the units that have failed and for those that have one of the addresses (as systemd writes them: `Stream [::]:80`), without
  /// ever making the loop wait. `answer` is called once; with nil when there is none in time, or no systemd.
  func ask(_ pid: Int32, about addresses: [String], _ answer: @escaping (GuestUnits?) -> Void)
}

/// Asks by `dormouse-ask`, a program beside this one: what a guest answers with is read by a process that has nothing to lose.
final class HelperAsker: Asker {
  private let loop: EventLoop
  /// Nil when it is not known where this program lies.
  private let program: String?
  /// The processes that have not ended, by the guest's PID 1. A guest is asked by one at a time: where that hangs in a file system of the
  /// guest's, beyond the reach of a signal, there is no second one.
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
