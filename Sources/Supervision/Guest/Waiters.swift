import ControlProtocol
import Lifecycle

/// The requests for a guest to be ready, frozen or stopped that have no answer yet.
struct Waiters {
  typealias Answer = (Reply) -> Void

  private var forReady: [Answer] = []
  private var forGone: [Answer] = []
  private var forFrozen: [Answer] = []
  /// What uses the guest, in words: the reason given when a request is refused or a stop is cancelled because of it.
  var use: String?

  mutating func awaitReady(_ answer: @escaping Answer) { forReady.append(answer) }
  mutating func awaitFrozen(_ answer: @escaping Answer) { forFrozen.append(answer) }
  mutating func awaitGone(_ answer: @escaping Answer) { forGone.append(answer) }

  /// Removes the requests that this state fulfils or makes impossible, and returns their replies.
  ///
  /// `why`: why the guest failed, or serves none of its sockets although it is ready.
  ///
  /// The caller sends the replies: whoever gets one may send the next request at once, which changes this value.
  mutating func settle(_ rest: State.Rest?, guest: String, why: String?) -> [(answer: Answer, reply: Reply)] {
    func failed(_ reason: String) -> Reply { .failure(.wakeFailed(name: guest, reason: why ?? reason)) }
    let kept = Reply.failure(.sleepFailed(name: guest, reason: use ?? "it was started again"))
    let notFrozen = Reply.failure(.freezeFailed(name: guest, reason: "it did not freeze"))
    switch rest {
    case .serving:
      use = nil
      let ready = why.map { Reply.failure(.wakeFailed(name: guest, reason: $0)) } ?? .done
      return Self.remove(&forReady, ready) + Self.remove(&forGone, kept) + Self.remove(&forFrozen, notFrozen)
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

  /// Removes the requests that are refused, and returns their replies.
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
