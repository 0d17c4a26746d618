import GuestSpec
import Linux
import Planning

extension StartFacts {
  /// Finds the ID maps of the guest's bind mounts. The guest's own users must be known already.
  ///
  /// A source that is missing, or that a user other than root could replace, is skipped. The launch step that opens it reports it.
  public mutating func findBindMaps(for guest: Guest) {
    for case .bind(let source, let destination, _, _, _, let owners) in guest.files.mounts where !source.isEmpty {
      let owner: (user: UInt32, group: UInt32)
      switch owners {
      case .noidmap, .idmap: continue
      case .rootidmap: owner = rootOfGuest
      case .owneridmap: owner = ownerInGuest(destination)
      }
      guard let status = try? SafePath(source) else { continue }
      bindMaps[destination] = IDMap(
        users: IDMap.Extent(inner: status.user, outer: owner.user, count: 1),
        groups: IDMap.Extent(inner: status.group, outer: owner.group, count: 1))
    }
  }

  private var rootOfGuest: (user: UInt32, group: UInt32) {
    (users?.map.users.outer ?? 0, users?.map.groups.outer ?? 0)
  }

  /// The owner of `path` in the guest's root, by the host's IDs. A missing path will belong to the guest's root user.
  private func ownerInGuest(_ path: String) -> (user: UInt32, group: UInt32) {
    let own = rootOfGuest
    guard let status = try? FileStatus(path, inRoot: root) else { return own }
    if users == nil || users?.root == GuestUsers.RootMapping.none { return (status.user, status.group) }
    return (own.user &+ status.user, own.group &+ status.group)
  }
}
