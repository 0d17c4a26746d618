import ControlProtocol
import Lifecycle

/// The pending calls that get a reply each time a guest changes its state.
///
/// A value that only decides who gets one: `ControlServer` sends it.
struct Subscribers {
  private struct Subscription {
    let call: ControlServer.PendingCall
    /// The guest it is about; nil for all.
    let guest: String?
    /// The states that were reported last, by guest. A supervisor reports more often than its state changes.
    var reported: [String: State.Word]
  }

  /// How many there may be at once. Their connections cannot be taken from them for other clients, who need the rest of
  /// `ControlServer.connectionLimit`.
  static let limit = ControlServer.connectionLimit / 2

  private var subscriptions: [Subscription] = []

  /// Adds a subscriber, who knows `states` already.
  ///
  /// - Throws: `tooManySubscribers`.
  mutating func add(
    _ call: ControlServer.PendingCall, guest: String?, states: [(guest: String, state: State.Word)]
  ) throws(ManagerError) {
    if subscriptions.count >= Self.limit { throw .tooManySubscribers }
    let reported = Dictionary(states.map { ($0.guest, $0.state) }) { $1 }
    subscriptions.append(Subscription(call: call, guest: guest, reported: reported))
  }

  /// Removes those that are not pending any more.
  mutating func removeAll(but isPending: (ControlServer.PendingCall) -> Bool) {
    subscriptions.removeAll { !isPending($0.call) }
  }

  /// Records that a guest is in a state, or with nil that there is no such guest any more.
  ///
  /// - Returns: the subscribers for whom that is a change.
  mutating func report(_ guest: String, _ state: State.Word?) -> [ControlServer.PendingCall] {
    var calls: [ControlServer.PendingCall] = []
    for place in subscriptions.indices where subscriptions[place].guest ?? guest == guest {
      if subscriptions[place].reported[guest] == state { continue }
      subscriptions[place].reported[guest] = state
      calls.append(subscriptions[place].call)
    }
    return calls
  }
}

extension ControlServer {
  /// Sends the first reply to a call that subscribes to one guest, or with nil to all, and adds it to the subscribers. `guests` are those
  /// that it subscribes to.
  ///
  /// - Returns: the reply if there are too many subscribers.
  func subscribe(
    _ call: PendingCall, to guest: String?, _ guests: [(summary: GuestSummary, state: State.Word)]
  ) -> Reply? {
    subscribers.removeAll(but: isPending)
    do throws(ManagerError) {
      try subscribers.add(call, guest: guest, states: guests.map { ($0.summary.name, $0.state) })
    } catch {
      return .failure(error)
    }
    _ = answer(call, continuing: .guests(GuestChanges(guests: guests.map(\.summary))))
    return nil
  }

  /// Sends a reply to each subscriber who does not know yet that the guest is in this state, or with nil that it was removed.
  ///
  /// The summary is made only if somebody gets it: it takes system calls.
  func publish(_ guest: String, _ state: State.Word?, summary: () -> GuestSummary) {
    let calls = subscribers.report(guest, state)
    if calls.isEmpty { return }
    let changes = state == nil ? GuestChanges(removed: [guest]) : GuestChanges(guests: [summary()])
    for call in calls { _ = answer(call, continuing: .guests(changes)) }
    subscribers.removeAll(but: isPending)
  }
}
