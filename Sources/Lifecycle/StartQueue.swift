/// Which guests may start now: at most `limit` at once, in the order in which they asked.
///
/// A guest that is woken while others start waits for its turn, and each gets one place. So a guest that fails and is started again and again
/// never comes before one that waited meanwhile.
public struct StartQueue: Equatable, Sendable {
  /// How many guests may start at once; at least 1.
  public private(set) var limit: Int
  /// The guests that have a place.
  public private(set) var starting: Set<String> = []
  private var waiting: [String] = []

  /// After this long a guest gives its place back although it still starts: one that never gets ready delays nobody for longer.
  public static let longestHold = Duration.seconds(5)

  public init(limit: Int) { self.limit = max(limit, 1) }

  /// Asks for a place.
  ///
  /// - Returns: whether the guest has one now. Otherwise `next` names it when its turn comes.
  public mutating func request(_ guest: String) -> Bool {
    if starting.contains(guest) { return true }
    if !waiting.contains(guest) { waiting.append(guest) }
    if waiting.first == guest { return next() != nil }
    return false
  }

  /// Gives the first guest that waits a place, if there is one.
  public mutating func next() -> String? {
    guard starting.count < limit, !waiting.isEmpty else { return nil }
    let guest = waiting.removeFirst()
    starting.insert(guest)
    return guest
  }

  /// The guest has started, or does not want to any more.
  public mutating func leave(_ guest: String) {
    starting.remove(guest)
    waiting.removeAll { $0 == guest }
  }

  /// Changes the limit. Guests that have a place keep it.
  public mutating func setLimit(_ limit: Int) { self.limit = max(limit, 1) }
}
