/// The users of a guest that has a user namespace.
public struct GuestUsers: Hashable, Sendable {
  /// Which IDs of the host the guest's IDs are. The guest's root is `map.users.outer`.
  public var map: IDMap
  /// Which mounts of the root are idmapped, so that their files belong to the guest's users.
  public var root: RootMapping

  public init(_ map: IDMap, root: RootMapping) {
    self.map = map
    self.root = root
  }

  /// Which mounts of a root are idmapped.
  public enum RootMapping: Hashable, Sendable {
    /// None: the files belong to the guest's users on the disk already.
    case none
    /// The root's own mount.
    case top
    /// The root's mount and all mounts below it.
    case tree
  }
}
