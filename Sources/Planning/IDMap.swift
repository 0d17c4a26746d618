/// Which user and group ids of a user namespace, or of a mounted file system, are which of the host.
public struct IDMap: Hashable, Sendable {
  /// `count` ids from `inner` on, which are the host's from `outer` on.
  public struct Extent: Hashable, Sendable {
    /// The first id in the namespace.
    public var inner: UInt32
    /// The id of the host that it is.
    public var outer: UInt32
    /// How many, these two included.
    public var count: UInt32

    public init(inner: UInt32, outer: UInt32, count: UInt32) {
      self.inner = inner
      self.outer = outer
      self.count = count
    }
  }

  /// Of users.
  public var users: Extent
  /// Of groups.
  public var groups: Extent

  public init(users: Extent, groups: Extent) {
    self.users = users
    self.groups = groups
  }

  /// `count` users and groups from 0 on, which are the host's from `base` on.
  public init(base: UInt32, count: UInt32) {
    let extent = Extent(inner: 0, outer: base, count: count)
    self.init(users: extent, groups: extent)
  }
}
