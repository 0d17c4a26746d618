/// Decides which guests may start now: at most `limit` at the same time, in the order in which they asked.
///
/// Each guest has at most one place, and asks anew for each start. So a guest that fails and is started again and again never overtakes one
/// that waits.
public struct StartQueue: Equatable, Sendable {
  /// How many guests may start at once; at least 1.
  public private(set) var limit: Int
  /// The guests that have a place.
  public private(set) var starting: Set<String> = []
  private var waiting: [String] = []

  /// After this long a guest that still starts loses its place, so that a guest that never becomes ready does not delay others for longer.
  public static let longestHold = Duration.seconds(5)

  public init(limit: Int) { self.limit = max(limit, 1) }

  /// Asks for a place.
  ///
  /// - Returns: whether the guest has a place now. Otherwise `next` returns it when it gets one.
  public mutating func request(_ guest: String) -> Bool {
    if starting.contains(guest) { return true }
    if !waiting.contains(guest) { waiting.append(guest) }
    if waiting.first == guest { return next() != nil }
    return false
  }

  /// Gives a free place to the guest that has waited longest.
  ///
  /// - Returns: that guest; nil when no place is free or no guest waits.
  public mutating func next() -> String? {
    guard starting.count < limit, !waiting.isEmpty else { return nil }
    let guest = waiting.removeFirst()
    starting.insert(guest)
    return guest
  }

  /// Gives the guest's place back, or ends its wait for one: it has started, or is not to be started any more.
  public mutating func leave(_ guest: String) {
    starting.remove(guest)
    waiting.removeAll { $0 == guest }
  }

  /// Changes the limit. Guests that have a place keep it.
  public mutating func setLimit(_ limit: Int) { self.limit = max(limit, 1) }
}
