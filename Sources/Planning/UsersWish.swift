import GuestSpec

/// Which users a guest is to have and how its root's files come to belong to them, before ids have been found and the root tried.
public struct UsersWish: Equatable, Sendable {
  /// The first id; nil: that of any range that nobody else has.
  public var base: UInt32?
  /// How many ids, from there on.
  public var count: UInt32
  /// How the root's files come to belong to the guest.
  public var ownership: Ownership
  /// Nobody asked for it: where it cannot be, the guest has the host's users.
  public var isDefault: Bool

  public init(
    base: UInt32?, count: UInt32 = PrivateUsers.usualCount, ownership: Ownership, isDefault: Bool = false
  ) {
    self.base = base
    self.count = count
    self.ownership = ownership
    self.isDefault = isDefault
  }

  /// How the files of a root come to belong to the guest's users.
  public enum Ownership: Equatable, Sendable {
    case off, chown, map, mapOrChown
    /// A range that was asked for alone: files that belong to nobody in it are mapped if they can be.
    case mapOrLeave
  }

  /// - Parameters:
  ///   - guest: as its files ask for it.
  ///   - owner: of the root directory.
  /// - Returns: nil for a guest with the host's users.
  /// - Throws: `UsersError` when the root's owner says of no range.
  public static func of(_ guest: Guest, owner: RootOwner) throws(UsersError) -> UsersWish? {
    let ownership = guest.files.usersOwnership.map { Ownership($0) }
    switch guest.exec.privateUsers {
    case .no: return nil
    case .identity: return UsersWish(base: 0, ownership: ownership ?? .off)
    case .range(let base, let count): return UsersWish(base: base, count: count, ownership: ownership ?? .mapOrLeave)
    case .owner:
      guard let base = owner.base else { throw .rootHasNoRange(owner) }
      return UsersWish(base: base, ownership: ownership ?? .off)
    case .pick: return UsersWish(base: nil, ownership: ownership ?? .mapOrChown)
    case nil: return UsersWish(base: nil, ownership: ownership ?? .map, isDefault: true)
    }
  }

  /// What has to be done with the root when the range begins at `base`.
  ///
  /// - Parameters:
  ///   - base: the first id of the guest.
  ///   - owner: of the root directory.
  ///   - refusal: why the root's mount cannot translate ids; nil when it can.
  /// - Returns: what is to be done.
  /// - Throws: `UsersError` when the root's files cannot come to belong to the guest.
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

/// Whom the root directory of a guest belongs to, by the host's ids.
public struct RootOwner: Hashable, Sendable {
  /// The root directory, for messages.
  public var path: String
  /// Of the host.
  public var user: UInt32
  /// Of the host.
  public var group: UInt32

  public init(path: String, user: UInt32, group: UInt32) {
    self.path = path
    self.user = user
    self.group = group
  }

  /// Whether it is a part of what the host itself runs on.
  public var isOfHost: Bool {
    path == "/" || path == "/usr" || path.hasPrefix("/usr/") && !path.hasPrefix("/usr/local/")
  }

  /// What systemd-nspawn, and Dormouse, give a root to as long as its files are being given to somebody else.
  public static let busy: UInt32 = 0xFFFE_0000

  /// The first id of the range that the root belongs to; nil when user and group are not of one, or when giving it to
  /// somebody has been interrupted.
  public var base: UInt32? {
    let base = user & 0xFFFF_0000
    return base == group & 0xFFFF_0000 && base != Self.busy ? base : nil
  }
}

/// Why a mount cannot translate ids.
public struct MappingRefusal: Error, Hashable, Sendable {
  /// The type of the file system, as mount(8) calls it.
  public var fileSystem: String
  /// The kernel's words.
  public var reason: String

  public init(fileSystem: String, reason: String) {
    self.fileSystem = fileSystem
    self.reason = reason
  }
}
