/// systemd.nspawn(5) `PrivateUsers=`.
public enum PrivateUsers: Equatable, Sendable {
  /// The guest's users are the host's.
  case no
  /// A user namespace in which every id is the host's.
  case identity
  /// A range of the host's ids that nobody else has.
  case pick
  /// `yes`: the range to which the owner of the root directory belongs.
  case owner
  /// `UIDBASE[:NUIDS]`.
  case range(base: UInt32, count: UInt32)

  /// How many ids a guest has unless told otherwise: those of 16 bits.
  public static let usualCount: UInt32 = 65536
}

/// systemd.nspawn(5) `PrivateUsersOwnership=`: how the files of the root come to belong to the guest's users.
public enum UsersOwnership: String, Equatable, Sendable, CaseIterable {
  /// They do already.
  case off
  /// They are given to them, on the disk.
  case chown
  /// The mount translates the ids.
  case map
  /// `map` where that can be done, else `chown`.
  case auto
}

/// systemd.nspawn(5) `BindUserShell=`: which shell the users of `BindUser=` have in the guest.
public enum BindUserShell: Equatable, Sendable {
  /// The guest's own choice.
  case none
  /// The one they have on the host.
  case hosts
  case path(String)
}
