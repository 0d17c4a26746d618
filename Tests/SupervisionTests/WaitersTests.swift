import ControlProtocol
import Lifecycle
import Testing

@testable import Supervision

@Suite("Those who wait for a guest")
struct WaitersTests {
  /// What each is answered, by what they wait for.
  private final class Answers {
    var ready: [Reply] = []
    var gone: [Reply] = []
    var frozen: [Reply] = []
  }

  private let answers = Answers()

  private func waiters() -> Waiters {
    var waiters = Waiters()
    waiters.awaitReady { [answers] in answers.ready.append($0) }
    waiters.awaitGone { [answers] in answers.gone.append($0) }
    waiters.awaitFrozen { [answers] in answers.frozen.append($0) }
    return waiters
  }

  private func notFrozen(_ reason: String) -> Reply { .failure(.freezeFailed(name: "web", reason: reason)) }
  private func notGone(_ reason: String) -> Reply { .failure(.sleepFailed(name: "web", reason: reason)) }
  private func notReady(_ reason: String) -> Reply { .failure(.wakeFailed(name: "web", reason: reason)) }

  private func settle(_ waiters: inout Waiters, _ rest: State.Rest?, why: String? = nil) {
    for (answer, reply) in waiters.settle(rest, guest: "web", why: why) { answer(reply) }
  }

  private func refuse(_ waiters: inout Waiters, _ refusal: Refusal, _ state: State = State.active(State.Record())) {
    for (answer, reply) in waiters.refuse(refusal, guest: "web", state) { answer(reply) }
  }

  @Test("Nobody is answered while the guest is on its way")
  func onTheWay() {
    var waiters = waiters()
    settle(&waiters, nil)
    #expect(answers.ready.isEmpty && answers.gone.isEmpty && answers.frozen.isEmpty)
  }

  @Test("All who wait are answered once when the guest serves, but only those who wanted it awake get it")
  func serving() {
    var waiters = waiters()
    waiters.use = "1 connection is open"
    settle(&waiters, .serving)
    settle(&waiters, .serving)
    #expect(answers.ready == [.done] && answers.gone == [notGone("1 connection is open")])
    #expect(answers.frozen == [notFrozen("it did not freeze")])
    // What used it then is nobody's reason later.
    waiters.awaitGone { [answers] in answers.gone.append($0) }
    settle(&waiters, .serving)
    #expect(answers.gone.last == notGone("it was started again"))
  }

  @Test("Those who wanted the guest awake have it when it is frozen, for it is ready for whoever comes")
  func frozen() {
    var waiters = waiters()
    settle(&waiters, .frozen)
    #expect(answers.ready == [.done] && answers.frozen == [.done] && answers.gone == [notGone("it was started again")])
  }

  @Test(
    "Those who wanted the guest awake are told the reason when it sleeps or has failed",
    arguments: [
      (State.Rest.asleep, "it was stopped before it was ready"), (.failed, "it ended before it was ready"),
    ])
  func gone(rest: State.Rest, reason: String) {
    var waiters = waiters()
    settle(&waiters, rest)
    #expect(answers.gone == [.done] && answers.ready == [notReady(reason)])
    #expect(answers.frozen == [notFrozen("it did not freeze")])
    waiters.awaitReady { [answers] in answers.ready.append($0) }
    settle(&waiters, rest, why: "cannot start: no root")
    #expect(answers.ready.last == notReady("cannot start: no root"))
  }

  @Test("Those whose request is refused are told why, and nobody else is answered")
  func refused() {
    let unknown = "the running guests are not known yet; see the log"
    var waiters = waiters()
    refuse(&waiters, .wakeWhilePending)
    #expect(answers.ready == [notReady(unknown)] && answers.gone.isEmpty && answers.frozen.isEmpty)
    refuse(&waiters, .sleepWhilePending)
    #expect(answers.gone == [notGone(unknown)] && answers.frozen.isEmpty)
    refuse(&waiters, .freezeNotActive, .inactive(State.Record()))
    #expect(answers.frozen == [notFrozen("it is inactive")])
    waiters = self.waiters()
    refuse(&waiters, .wakeUnbound)
    #expect(answers.ready.last == notReady("it was removed"))
    refuse(&waiters, .sleepInUse)
    #expect(answers.gone.last == notGone("it is in use"))
    waiters.use = "2 connections are open"
    refuse(&waiters, .freezeInUse)
    #expect(answers.frozen.last == notFrozen("2 connections are open; `dormouse freeze --now` freezes it anyway"))
    #expect([answers.ready.count, answers.gone.count, answers.frozen.count] == [2, 2, 2])
  }
}
