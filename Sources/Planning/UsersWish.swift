import GuestSpec

/// Which users a guest asks for, and how its root's files are to belong to them. A wish is known before IDs are chosen and the root's mount
/// is tried.
public struct UsersWish: Equatable, Sendable {
  /// The first ID; nil: that of any free range.
  public var base: UInt32?
  /// How many IDs, from `base` on.
  public var count: UInt32
  /// How the root's files are to belong to the guest's users.
  public var ownership: Ownership

  public init(
    base: UInt32?, count: UInt32 = PrivateUsers.usualCount, ownership: Ownership
  ) {
    self.base = base
    self.count = count
    self.ownership = ownership
  }

  /// How the files of a root are to belong to the guest's users.
  public enum Ownership: Equatable, Sendable {
    case off, chown, map, mapOrChown
    /// For a range without `PrivateUsersOwnership=`: the files are mapped if possible.
    case mapOrLeave
  }

  /// - Parameters:
  ///   - guest: the guest, as its files define it.
  ///   - owner: the owner of the root directory.
  /// - Returns: nil for a guest with the host's users.
  /// - Throws: `UsersError` when the root's owner is to tell the range, and belongs to none, or when a change of the owners was interrupted
  ///   and this guest does not complete it.
  public static func of(_ guest: Guest, owner: RootOwner) throws(UsersError) -> UsersWish? {
    let wish = try asked(guest, owner)
    switch wish?.ownership {
    case .chown, .mapOrChown: break
    case .off, .map, .mapOrLeave, nil: if owner.isBusy { throw .changeIsUnfinished(owner) }
    }
    return wish
  }

  private static func asked(_ guest: Guest, _ owner: RootOwner) throws(UsersError) -> UsersWish? {
    let ownership = guest.files.usersOwnership.map { Ownership($0) }
    switch guest.exec.privateUsers {
    case .no: return nil
    case .identity: return UsersWish(base: 0, ownership: ownership ?? .off)
    case .range(let base, let count): return UsersWish(base: base, count: count, ownership: ownership ?? .mapOrLeave)
    case .owner:
      guard let base = owner.base else { throw owner.isBusy ? .changeIsUnfinished(owner) : .rootHasNoRange(owner) }
      return UsersWish(base: base, ownership: ownership ?? .off)
    case .pick: return UsersWish(base: nil, ownership: ownership ?? .mapOrChown)
    case nil: return UsersWish(base: nil, ownership: ownership ?? .map)
    }
  }

  /// Decides what is done with the root if the range begins at `base`.
  ///
  /// - Parameters:
  ///   - base: the first ID of the guest.
  ///   - owner: the owner of the root directory.
  ///   - refusal: why the root's mount cannot be idmapped; nil when it can.
  /// - Returns: the treatment.
  /// - Throws: `UsersError` when the root's files cannot be made to belong to the guest's users.
  public func treatment(
    base: UInt32, owner: RootOwner, refusal: MappingRefusal?
  ) throws(UsersError) -> Treatment {
    if owner.base == base { return .leave }
    switch ownership {
    case .off: return .leave
    case .chown: return try chown(owner)
    case .map:
      if owner.base != 0 { throw .rootIsShifted(owner) }
      if let refusal { throw .rootCannotBeMapped(owner, refusal) }
      return .map
    case .mapOrChown: return owner.base == 0 && refusal == nil ? .map : try chown(owner)
    case .mapOrLeave: return owner.base == 0 && refusal == nil ? .map : .leave
    }
  }

  private func chown(_ owner: RootOwner) throws(UsersError) -> Treatment {
    if owner.isOfHost { throw .hostIsNotGivenAway(owner) }
    return .chown
  }

  /// What is done to the root at this start.
  public enum Treatment: Equatable, Sendable {
    case leave, map, chown
  }
}

extension UsersWish.Ownership {
  init(_ ownership: UsersOwnership) {
    self =
      switch ownership {
      case .off: .off
      case .chown: .chown
      case .map: .map
      case .auto: .mapOrChown
      }
  }
}

/// The owner of a guest's root directory, by the host's IDs.
public struct RootOwner: Hashable, Sendable {
  /// The root directory, for messages.
  public var path: String
  /// The user ID on the host.
  public var user: UInt32
  /// The group ID on the host.
  public var group: UInt32

  public init(path: String, user: UInt32, group: UInt32) {
    self.path = path
    self.user = user
    self.group = group
  }

  /// Whether the directory is part of the host's own system.
  public var isOfHost: Bool {
    path == "/" || path == "/usr" || path.hasPrefix("/usr/") && !path.hasPrefix("/usr/local/")
  }

  /// The owner of a root while the owners of its files are being changed, for systemd-nspawn as for Dormouse.
  public static let busy: UInt32 = 0xFFFE_0000

  /// Whether a change of the owners has been interrupted, or is under way.
  public var isBusy: Bool { user & 0xFFFF_0000 == Self.busy || group & 0xFFFF_0000 == Self.busy }

  /// The first ID of the range that the root belongs to; nil when user and group are not in the same range, or when a change of the owners
  /// has been interrupted.
  public var base: UInt32? {
    let base = user & 0xFFFF_0000
    return base == group & 0xFFFF_0000 && base != Self.busy ? base : nil
  }
}

/// Why a mount cannot be idmapped.
public struct MappingRefusal: Error, Hashable, Sendable {
  /// The type of the file system, as mount(8) calls it.
  public var fileSystem: String
  /// The kernel's error text.
  public var reason: String

  public init(fileSystem: String, reason: String) {
    self.fileSystem = fileSystem
    self.reason = reason
  }
}
