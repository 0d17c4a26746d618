import CSystemd

/// The events that a descriptor is watched for, or is ready for: the bits of epoll(7).
public struct IOEvents: OptionSet, Hashable, Sendable {
  public let rawValue: UInt32

  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// There is something to read or to accept, or the end of the file.
  public static let readable = IOEvents(rawValue: EPOLLIN.rawValue)
  /// There is room to write.
  public static let writable = IOEvents(rawValue: EPOLLOUT.rawValue)
  /// An exceptional condition: cgroup.events and mountinfo announce a change with it.
  public static let priority = IOEvents(rawValue: EPOLLPRI.rawValue)
  /// EPOLLET: a flag, not a condition. A condition is reported once when it begins, and not again while it lasts.
  public static let edgeTriggered = IOEvents(rawValue: 1 << 31)
  /// Both directions are closed. It is always reported, whether watched for or not.
  public static let hangUp = IOEvents(rawValue: EPOLLHUP.rawValue)
  /// An error is pending on the descriptor. It is always reported, whether watched for or not.
  public static let error = IOEvents(rawValue: EPOLLERR.rawValue)
}
