/// A rate limit for scans of one guest's descriptors. A guest may have millions, and the daemon serves no other guest during a scan.
public struct SearchBudget: Equatable, Sendable {
  /// The most descriptors of one scan, some milliseconds of work. If a guest has more, it stays unknown which sockets it has.
  public static let descriptors = 4096
  private static let most = 16
  private static let perLook = Duration.seconds(4)

  private var left = most
  /// The time since boot from which the next regained scan is counted.
  private var since = Duration.zero

  public init() {}

  /// Takes one scan from the budget, which allows sixteen at once, and then fifteen a minute.
  ///
  /// - Parameter now: the time since boot.
  /// - Returns: whether the caller may scan now.
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
