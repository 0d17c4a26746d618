import GuestSpec
import Linux
import Planning

extension StartFacts {
  /// Finds by what the owners of the files of binds are translated, once the guest's users are known.
  ///
  /// A source that is not there is the start's to complain of.
  public mutating func findBindMaps(for guest: Guest) {
    for case .bind(let source, let destination, _, _, _, let owners) in guest.files.mounts where !source.isEmpty {
      let owner: (user: UInt32, group: UInt32)
      switch owners {
      case .noidmap, .idmap: continue
      case .rootidmap: owner = rootOfGuest
      case .owneridmap: owner = ownerInGuest(destination)
      }
      guard let status = try? FileStatus(source, followingLinks: true) else { continue }
      bindMaps[destination] = IDMap(
        users: IDMap.Extent(inner: status.user, outer: owner.user, count: 1),
        groups: IDMap.Extent(inner: status.group, outer: owner.group, count: 1))
    }
  }

  private var rootOfGuest: (user: UInt32, group: UInt32) {
    (users?.map.users.outer ?? 0, users?.map.groups.outer ?? 0)
  }

  /// Who owns `path` of the guest's root, by the host's ids. What is not there will be the guest's root's.
  private func ownerInGuest(_ path: String) -> (user: UInt32, group: UInt32) {
    let own = rootOfGuest
    guard let status = try? FileStatus(path, inRoot: root) else { return own }
    if users == nil || users?.root == GuestUsers.RootMapping.none { return (status.user, status.group) }
    return (own.user &+ status.user, own.group &+ status.group)
  }
}
