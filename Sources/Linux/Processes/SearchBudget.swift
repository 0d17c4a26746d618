/// How much the daemon looks through the descriptors of one guest: a guest may have millions, and whoever looks through them serves nobody
/// meanwhile.
public struct SearchBudget: Equatable, Sendable {
  /// The most descriptors of one look, some milliseconds of work. A guest with more keeps it unknown which sockets it has.
  public static let descriptors = 4096
  private static let most = 16
  private static let perLook = Duration.seconds(4)

  private var left = most
  /// Since when the looks are counted that have come back.
  private var since = Duration.zero

  public init() {}

  /// Takes a look: sixteen at once, and then fifteen a minute.
  ///
  /// - Parameter now: the time since boot.
  /// - Returns: whether there was one left.
  public mutating func take(at now: Duration) -> Bool {
    while left < Self.most, now - since >= Self.perLook {
      left += 1
      since += Self.perLook
    }
    if left == Self.most { since = now }
    if left == 0 { return false }
    left -= 1
    return true
  }
}
