/// The connections with which a guest was frozen. It reads nothing meanwhile, so that what it has not read changes by its clients only.
public struct FrozenConnections: Equatable, Sendable {
  /// How many bytes of each connection the guest has not read, by the connection's cookie. A connection that has ended is missing.
  public typealias Unread = [UInt64: UInt32]

  private let unread: Unread
  private let isReported: Bool
  private let endsAt: Duration

  /// - Parameters:
  ///   - unread: what the guest had not read when it was frozen.
  ///   - isReported: whether the kernel reports what comes on each of them. Otherwise only a scan can find out.
  ///   - endsAt: when the guest is thawed at the latest.
  public init(_ unread: Unread, reported isReported: Bool, until endsAt: Duration) {
    self.unread = unread
    self.isReported = isReported
    self.endsAt = endsAt
  }

  /// What to do after a scan of the guest's connections.
  public enum Decision: Equatable, Sendable {
    /// A client has sent something or has left, or the guest was frozen for long enough.
    case thaw
    /// The guest stays frozen. The next scan is due after this long.
    case rescan(after: Duration)
  }

  /// The kernel takes some 5 µs to list a connection, so this pause keeps the scans below a hundredth of a processor.
  private static let pauseForEach = Duration.milliseconds(1)

  /// Decides from what the guest has not read now.
  public func judge(_ unread: Unread, at now: Duration) -> Decision {
    let left = endsAt - now
    if left <= .zero || unread != self.unread { return .thaw }
    return .rescan(after: isReported ? left : min(left, max(IdlePolicy.often, Self.pauseForEach * unread.count)))
  }
}
