import Glibc
import GuestSpec
import Launching
import Linux
import Planning

/// The users that were chosen for a guest, and the claim that keeps them for the guest while it runs.
struct UserChoice {
  /// nil: the guest has no user namespace, its users are the host's.
  var users: GuestUsers?
  var namespaces: GuestNamespaces
  var claim: UserRanges.Claim?
  /// The change of the owners of the root's files that must come before the start; nil when none is needed.
  var change: OwnerChange?
}

extension GuestStarter {
  /// Chooses users for a guest with this root, makes its namespaces, and makes the root's files belong to the users by an idmapped mount.
  ///
  /// With `PrivateUsersOwnership=chown` the files change their owners on the disk, once for each root. That is left to the caller.
  ///
  /// - Throws: `UserChoiceError`.
  func chooseUsers(_ guest: Guest, root: String) throws(UserChoiceError) -> UserChoice {
    let network = LaunchPlan.Network(guest.network)
    let root = MappedRoot(guest, root)
    let owner: RootOwner
    do throws(SystemError) { owner = try root.owner() } catch { throw .system(error) }
    let wish: UsersWish?
    do throws(UsersError) { wish = try UsersWish.of(guest, owner: owner) } catch { throw .users(error) }
    guard let wish else { return UserChoice(namespaces: try makeNamespaces(users: nil, network)) }
    return try choose(wish, guest.name, root, owner, network)
  }

  private func makeNamespaces(
    users: IDMap?, _ network: LaunchPlan.Network
  ) throws(UserChoiceError) -> GuestNamespaces {
    do throws(LaunchError) { return try GuestNamespaces(users: users, network: network) } catch { throw .launch(error) }
  }

  private func claim(
    _ wish: UsersWish, _ owner: RootOwner, _ name: String
  ) throws(UserChoiceError) -> UserRanges.Claim {
    let ranges = backend.userRanges
    if let base = wish.base { return ranges.claim(IDMap(base: base, count: wish.count)) }
    let claim: UserRanges.Claim?
    do throws(SystemError) {
      claim = try ranges.claim(firstOf: UserRange.candidates(owner: owner, name: name))
    } catch {
      throw .system(error)
    }
    guard let claim else { throw .users(.noFreeRange) }
    return claim
  }

  private func choose(
    _ wish: UsersWish, _ name: String, _ root: MappedRoot, _ owner: RootOwner, _ network: LaunchPlan.Network
  ) throws(UserChoiceError) -> UserChoice {
    let claim = try claim(wish, owner, name)
    let map = IDMap(base: claim.base, count: wish.count)
    let namespaces = try makeNamespaces(users: map, network)
    var mapping = GuestUsers.RootMapping.none
    var refusal: MappingRefusal?
    do throws(MappingError) {
      mapping = try namespaces.mapping(
        of: root.path, recursive: root.hasMountsBelow, belowOverlay: root.isBelowOverlay)
    } catch {
      switch error {
      case .refused(let reason): refusal = reason
      case .system(let error): throw .system(error)
      }
    }
    let treatment: UsersWish.Treatment
    do throws(UsersError) {
      treatment = try wish.treatment(base: claim.base, owner: owner, refusal: refusal)
    } catch {
      throw .users(error)
    }
    var change: OwnerChange?
    switch treatment {
    case .leave: mapping = .none
    case .map: break
    case .chown:
      mapping = .none
      do throws(SystemError) { change = try OwnerChange(root.path, to: claim, backend.loop) } catch {
        throw .system(error)
      }
    }
    return UserChoice(users: GuestUsers(map, root: mapping), namespaces: namespaces, claim: claim, change: change)
  }
}

/// Why no users can be found for a guest.
enum UserChoiceError: Error, CustomStringConvertible {
  /// The guest's file asks for users that it cannot have.
  case users(UsersError)
  /// The guest's namespaces cannot be made.
  case launch(LaunchError)
  /// The root cannot be read, its owners cannot be changed, or no range can be locked.
  case system(SystemError)

  var description: String {
    switch self {
    case .users(let error): error.description
    case .launch(let error): error.description
    case .system(let error): error.description
    }
  }
}

/// The part of a root that is idmapped: mounted so that its files belong to the guest's users.
private struct MappedRoot {
  let path: String
  let hasMountsBelow: Bool
  let isBelowOverlay: Bool

  init(_ guest: Guest, _ root: String) {
    isBelowOverlay = guest.files.volatile == .overlay
    // With the host's root as the guest's, the file systems below it stay the host's. An overlay has one file system as its layer.
    hasMountsBelow = !isBelowOverlay && root != "/"
    path = guest.files.volatile == .yes ? (root == "/" ? "/usr" : root + "/usr") : root
  }

  func owner() throws(SystemError) -> RootOwner {
    let status = try FileStatus(path, followingLinks: false)
    return RootOwner(path: path, user: status.user, group: status.group)
  }
}
