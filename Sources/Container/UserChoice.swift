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
  /// With `PrivateUsersOwnership=chown` the files change their owners on the disk, which takes time in proportion to their number. It is
  /// done once for a root.
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
    do throws(UserChoiceError) {
      return try choose(wish, guest.name, root, owner, network)
    } catch {
      if !wish.isDefault || !error.isPermanent { throw error }
      return UserChoice(namespaces: try makeNamespaces(users: nil, network), withoutBecause: "\(error)")
    }
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
    if let base = wish.base { return ranges.note(IDMap(base: base, count: wish.count)) }
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
    do throws(MappingRefusal) {
      mapping = try namespaces.mapping(
        of: root.path, recursive: root.hasMountsBelow, belowOverlay: root.isBelowOverlay)
    } catch {
      refusal = error
    }
    let treatment: UsersWish.Treatment
    do throws(UsersError) {
      treatment = try wish.treatment(base: claim.base, owner: owner, refusal: refusal)
    } catch {
      throw .users(error)
    }
    switch treatment {
    case .leave: mapping = .none
    case .map: break
    case .chown:
      mapping = .none
      do throws(SystemError) {
        try giveTree(root.path, to: claim.base, busy: RootOwner.busy)
      } catch {
        throw .system(error)
      }
    }
    return UserChoice(users: GuestUsers(map, root: mapping), namespaces: namespaces, claim: claim)
  }
}

/// Why no users can be found for a guest.
enum UserChoiceError: Error, CustomStringConvertible {
  /// The guest's file asks for users that it cannot have.
  case users(UsersError)
  /// The guest's namespaces cannot be made.
  case launch(LaunchError)
  /// The root cannot be read or given away, or no range can be locked.
  case system(SystemError)

  var description: String {
    switch self {
    case .users(let error): error.description
    case .launch(let error): error.description
    case .system(let error): error.description
    }
  }

  /// Whether the next start would fail in the same way. A shortage that may pass, of descriptors for example, is no reason to run a guest
  /// without a user namespace.
  var isPermanent: Bool {
    switch self {
    case .users(let error): return error != .noFreeRange
    case .system: return false
    case .launch(let error):
      if error.errno == ENOSPC {
        let limit = (try? readFile("/proc/sys/user/max_user_namespaces", limit: 64)) ?? []
        return limit.prefix { $0 != UInt8(ascii: "\n") } == [UInt8(ascii: "0")]
      }
      return [EINVAL, ENOSYS, EPERM].contains(error.errno)
    }
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

  func owner() throws(SystemError) -> RootOwner {
    let status = try FileStatus(path, followingLinks: false)
    return RootOwner(path: path, user: status.user, group: status.group)
  }
}
