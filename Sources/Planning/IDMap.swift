/// Which user and group IDs of a user namespace, or of an idmapped mount, are which of the host.
public struct IDMap: Hashable, Sendable {
  /// `count` IDs from `inner` on, which are the host's from `outer` on.
  public struct Extent: Hashable, Sendable {
    /// The first ID in the namespace.
    public var inner: UInt32
    /// The ID of the host that `inner` is.
    public var outer: UInt32
    /// How many IDs, the first included.
    public var count: UInt32

    public init(inner: UInt32, outer: UInt32, count: UInt32) {
      self.inner = inner
      self.outer = outer
      self.count = count
    }
  }

  /// The map of user IDs.
  public var users: Extent
  /// The map of group IDs.
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
