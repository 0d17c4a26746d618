import ControlProtocol
import Lifecycle

/// Those who asked for a guest to be ready, to be frozen or to be gone, and wait for it.
struct Waiters {
  typealias Answer = (Reply) -> Void

  private var forReady: [Answer] = []
  private var forGone: [Answer] = []
  private var forFrozen: [Answer] = []
  /// What uses the guest, for those whose request is refused or whose stop is cancelled because of that.
  var use: String?

  mutating func awaitReady(_ answer: @escaping Answer) { forReady.append(answer) }
  mutating func awaitFrozen(_ answer: @escaping Answer) { forFrozen.append(answer) }
  mutating func awaitGone(_ answer: @escaping Answer) { forGone.append(answer) }

  /// Removes those who have waited for this state, or in vain, and returns what each is to be answered.
  ///
  /// They are not answered here: whoever has an answer may ask for the next thing at once, and wait again.
  mutating func settle(_ rest: State.Rest?, guest: String, why: String?) -> [(answer: Answer, reply: Reply)] {
    func failed(_ reason: String) -> Reply { .failure(.wakeFailed(name: guest, reason: why ?? reason)) }
    let kept = Reply.failure(.sleepFailed(name: guest, reason: use ?? "it was started again"))
    let notFrozen = Reply.failure(.freezeFailed(name: guest, reason: "it did not freeze"))
    switch rest {
    case .serving:
      use = nil
      return Self.remove(&forReady, .done) + Self.remove(&forGone, kept) + Self.remove(&forFrozen, notFrozen)
    case .frozen:
      return Self.remove(&forReady, .done) + Self.remove(&forGone, kept) + Self.remove(&forFrozen, .done)
    case .asleep:
      return Self.remove(&forFrozen, notFrozen) + Self.remove(&forGone, .done)
        + Self.remove(&forReady, failed("it was stopped before it was ready"))
    case .failed:
      return Self.remove(&forFrozen, notFrozen) + Self.remove(&forGone, .done)
        + Self.remove(&forReady, failed("it ended before it was ready"))
    case nil: return []  // on the way
    }
  }

  /// Removes those whose request is refused, and returns what each is to be answered.
  mutating func refuse(_ refusal: Refusal, guest: String, _ state: State) -> [(answer: Answer, reply: Reply)] {
    let use = use ?? "it is in use"
    let unknown = "the running guests are not known yet; see the log"
    return switch refusal {
    case .wakeWhilePending: Self.remove(&forReady, .failure(.wakeFailed(name: guest, reason: unknown)))
    case .wakeUnbound: Self.remove(&forReady, .failure(.wakeFailed(name: guest, reason: "it was removed")))
    case .sleepWhilePending: Self.remove(&forGone, .failure(.sleepFailed(name: guest, reason: unknown)))
    case .sleepInUse: Self.remove(&forGone, .failure(.sleepFailed(name: guest, reason: use)))
    case .freezeInUse:
      Self.remove(
        &forFrozen,
        .failure(.freezeFailed(name: guest, reason: "\(use); `dormouse freeze --now` freezes it anyway")))
    case .freezeNotActive:
      Self.remove(&forFrozen, .failure(.freezeFailed(name: guest, reason: "it is \(state.word.rawValue)")))
    }
  }

  private static func remove(_ answers: inout [Answer], _ reply: Reply) -> [(answer: Answer, reply: Reply)] {
    defer { answers = [] }
    return answers.map { ($0, reply) }
  }
}
