/// The users of a guest with a user namespace of its own, as they are on the host.
public struct GuestUsers: Hashable, Sendable {
  /// Which ids of the host the guest's are. The guest's root is `map.users.outer`.
  public var map: IDMap
  /// What is done that the files of the root belong to the guest's users.
  public var root: RootMapping

  public init(_ map: IDMap, root: RootMapping) {
    self.map = map
    self.root = root
  }

  /// How the files of a root come to belong to the guest's users.
  public enum RootMapping: Hashable, Sendable {
    /// They do already.
    case none
    /// The root's mount translates the ids.
    case top
    /// It and all mounts below it do.
    case tree
  }
}
