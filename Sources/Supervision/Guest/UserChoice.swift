import Glibc
import GuestSpec
import Launching
import Linux
import Planning

/// The users that a start found for its guest, with what keeps them the guest's for as long as it runs.
struct UserChoice {
  /// nil: the host's.
  var users: GuestUsers?
  var namespaces: GuestNamespaces
  var claim: UserRanges.Claim?
  /// Why a guest that could have had users of its own, and did not say, has the host's.
  var withoutBecause: String?
}

extension GuestStarter {
  /// Finds users for a guest with this root, makes its namespaces, and sees to it that the root's files belong to them.
  ///
  /// Giving files away on the disk (`PrivateUsersOwnership=chown`) takes as long as it takes; it is done once for a root.
  func chooseUsers(_ guest: Guest, root: String) throws -> UserChoice {
    let network = LaunchPlan.Network(guest.network)
    let root = MappedRoot(guest, root)
    let status = try FileStatus(root.path, followingLinks: false)
    let owner = RootOwner(path: root.path, user: status.user, group: status.group)
    guard let wish = try UsersWish.of(guest, owner: owner) else {
      return UserChoice(namespaces: try GuestNamespaces(users: nil, network: network))
    }
    do {
      return try choose(wish, guest.name, root, owner, network)
    } catch {
      if !wish.isDefault || !isForGood(error) { throw error }
      return UserChoice(
        namespaces: try GuestNamespaces(users: nil, network: network), withoutBecause: "\(error)")
    }
  }

  /// Whether this host or this root will never do: what lacks only now, such as a descriptor, is no reason to run a guest with less.
  private func isForGood(_ error: any Error) -> Bool {
    if let error = error as? UsersError { return error != .noFreeRange }
    guard let error = error as? LaunchError else { return false }
    if error.errno == ENOSPC {
      let limit = (try? readFile("/proc/sys/user/max_user_namespaces", limit: 64)) ?? []
      return limit.prefix { $0 != UInt8(ascii: "\n") } == [UInt8(ascii: "0")]
    }
    return [EINVAL, ENOSYS, EPERM].contains(error.errno)
  }

  private func choose(
    _ wish: UsersWish, _ name: String, _ root: MappedRoot, _ owner: RootOwner, _ network: LaunchPlan.Network
  ) throws -> UserChoice {
    let ranges = context.userRanges
    let claim =
      if let base = wish.base {
        ranges.note(IDMap(base: base, count: wish.count))
      } else {
        try ranges.claim(firstOf: UserRange.candidates(owner: owner, name: name))
      }
    guard let claim else { throw UsersError.noFreeRange }
    let map = IDMap(base: claim.base, count: wish.count)
    let namespaces = try GuestNamespaces(users: map, network: network)
    var mapping = GuestUsers.RootMapping.none
    var refusal: MappingRefusal?
    do throws(MappingRefusal) {
      mapping = try namespaces.mapping(
        of: root.path, recursive: root.hasMountsBelow, belowOverlay: root.isBelowOverlay)
    } catch {
      refusal = error
    }
    switch try wish.treatment(base: claim.base, owner: owner, refusal: refusal) {
    case .leave: mapping = .none
    case .map: break
    case .chown:
      mapping = .none
      try giveTree(root.path, to: claim.base, busy: RootOwner.busy)
    }
    return UserChoice(users: GuestUsers(map, root: mapping), namespaces: namespaces, claim: claim)
  }
}

/// What of a root is mounted so that its owners are the guest's.
private struct MappedRoot {
  let path: String
  let hasMountsBelow: Bool
  let isBelowOverlay: Bool

  init(_ guest: Guest, _ root: String) {
    isBelowOverlay = guest.files.volatile == .overlay
    // The host's other file systems are not the guest's, only seen by it; an overlay's layer is of one file system.
    hasMountsBelow = !isBelowOverlay && root != "/"
    path = guest.files.volatile == .yes ? (root == "/" ? "/usr" : root + "/usr") : root
  }
}
