import ControlProtocol
import Lifecycle

/// Those who asked for a guest to be ready, or to be gone, and wait for it.
struct Waiters {
  typealias Answer = (Reply) -> Void

  private var forReady: [Answer] = []
  private var forGone: [Answer] = []

  mutating func awaitReady(_ answer: @escaping Answer) { forReady.append(answer) }
  mutating func awaitGone(_ answer: @escaping Answer) { forGone.append(answer) }

  /// Answers those who have waited for `state`, or in vain.
  mutating func settle(_ state: State, guest: String, why: String?) {
    switch state {
    case .active:
      answer(&forReady, .done)
      answer(&forGone, .failure(.sleepFailed(name: guest, reason: "it was woken again")))
    case .inactive, .released:
      answer(&forGone, .done)
      answer(&forReady, .failure(.wakeFailed(name: guest, reason: why ?? "it was put to sleep before it was ready")))
    case .failed:
      answer(&forGone, .done)
      answer(&forReady, .failure(.wakeFailed(name: guest, reason: why ?? "it ended before it was ready")))
    case .holding, .launching, .activating, .deactivating:
      break  // on the way
    }
  }

  private func answer(_ answers: inout [Answer], _ reply: Reply) {
    let waiting = answers
    answers = []
    for answer in waiting { answer(reply) }
  }
}
