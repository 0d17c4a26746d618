import ControlProtocol
import Lifecycle

/// Those who asked for a guest to be ready, to be frozen or to be gone, and wait for it.
struct Waiters {
  typealias Answer = (Reply) -> Void

  private var forReady: [Answer] = []
  private var forGone: [Answer] = []
  private var forFrozen: [Answer] = []
  /// Why a stop that was asked for is cancelled, if it is.
  var keptBecause: String?

  mutating func awaitReady(_ answer: @escaping Answer) { forReady.append(answer) }
  mutating func awaitFrozen(_ answer: @escaping Answer) { forFrozen.append(answer) }
  mutating func awaitGone(_ answer: @escaping Answer) { forGone.append(answer) }

  /// Takes out those who have waited for `state`, or in vain, with what each is to be told.
  ///
  /// They are not told here: who has an answer may ask for the next thing at once, and wait again.
  mutating func settle(_ state: State, guest: String, why: String?) -> [(answer: Answer, reply: Reply)] {
    func failed(_ reason: String) -> Reply { .failure(.wakeFailed(name: guest, reason: why ?? reason)) }
    let kept = Reply.failure(.sleepFailed(name: guest, reason: keptBecause ?? "it was woken again"))
    let notFrozen = Reply.failure(.freezeFailed(name: guest, reason: "it did not freeze"))
    switch state {
    case .active:
      keptBecause = nil
      return Self.take(&forReady, .done) + Self.take(&forGone, kept) + Self.take(&forFrozen, notFrozen)
    case .frozen:
      return Self.take(&forReady, .done) + Self.take(&forGone, kept) + Self.take(&forFrozen, .done)
    case .inactive, .unbound:
      return Self.take(&forFrozen, notFrozen) + Self.take(&forGone, .done)
        + Self.take(&forReady, failed("it was put to sleep before it was ready"))
    case .failed:
      return Self.take(&forFrozen, notFrozen) + Self.take(&forGone, .done)
        + Self.take(&forReady, failed("it ended before it was ready"))
    case .binding, .launching, .activating, .freezing, .parting, .selfShutdown, .deactivating:
      return []  // on the way
    }
  }

  private static func take(_ answers: inout [Answer], _ reply: Reply) -> [(answer: Answer, reply: Reply)] {
    defer { answers = [] }
    return answers.map { ($0, reply) }
  }
}
