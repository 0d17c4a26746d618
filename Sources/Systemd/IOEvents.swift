import CSystemd

/// What a descriptor is waited for, and what it is found ready for: the bits of epoll(7).
public struct IOEvents: OptionSet, Hashable, Sendable {
  public let rawValue: UInt32

  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Something can be read, or accepted, or the end of file has been reached.
  public static let readable = IOEvents(rawValue: EPOLLIN.rawValue)
  /// Something can be written.
  public static let writable = IOEvents(rawValue: EPOLLOUT.rawValue)
  /// An exceptional condition: what cgroup.events and mountinfo announce a change with.
  public static let priority = IOEvents(rawValue: EPOLLPRI.rawValue)
  /// Both directions are finished. Always reported, never asked for.
  public static let hangUp = IOEvents(rawValue: EPOLLHUP.rawValue)
  /// An error is pending on the descriptor. Always reported, never asked for.
  public static let error = IOEvents(rawValue: EPOLLERR.rawValue)
}
