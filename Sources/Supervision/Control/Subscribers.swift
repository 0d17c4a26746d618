import ControlProtocol
import Lifecycle

/// The pending calls that get a reply each time a guest changes its state.
///
/// A value that only decides who gets one: `Manager` sends it.
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
  /// - Throws: `tooManySubscribers`. Remove those first that have gone.
  mutating func add(
    _ call: ControlServer.PendingCall, guest: String?, states: [(guest: String, state: State.Word)]
  ) throws(ManagerError) {
    if subscriptions.count >= Self.limit { throw .tooManySubscribers }
    let reported = Dictionary(states.map { ($0.guest, $0.state) }) { $1 }
    subscriptions.append(Subscription(call: call, guest: guest, reported: reported))
  }

  mutating func remove(_ call: ControlServer.PendingCall) { removeAll { $0 == call } }

  mutating func removeAll(where hasGone: (ControlServer.PendingCall) -> Bool) {
    subscriptions.removeAll { hasGone($0.call) }
  }

  /// Takes note that a guest is in a state, or with nil that there is no such guest any more.
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
