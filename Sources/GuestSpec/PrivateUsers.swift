/// systemd.nspawn(5) `PrivateUsers=`.
public enum PrivateUsers: Equatable, Sendable {
  /// No user namespace: the users of the guest are those of the host.
  case no
  /// A user namespace in which every ID maps to the same ID of the host.
  case identity
  /// A range of IDs of the host that nothing else uses.
  case pick
  /// `yes`: the range that contains the owner of the root directory.
  case owner
  /// `UIDBASE[:NUIDS]`: this range of IDs of the host.
  case range(base: UInt32, count: UInt32)

  /// The default number of IDs in a range: all that fit into 16 bits.
  public static let usualCount: UInt32 = 65536
}

/// systemd.nspawn(5) `PrivateUsersOwnership=`: how the owners of the root's files are adjusted to the guest's users.
public enum UsersOwnership: String, Equatable, Sendable, CaseIterable {
  /// They are not adjusted.
  case off
  /// The files are changed on the disk.
  case chown
  /// An ID-mapped mount translates the owners.
  case map
  /// `map` where the file system supports it, and `chown` otherwise.
  case auto
}

/// systemd.nspawn(5) `BindUserShell=`: the login shell of the users of `BindUser=` in the guest.
public enum BindUserShell: Equatable, Sendable {
  /// The guest's default shell.
  case none
  /// The shell that the user has on the host.
  case hosts
  /// A shell of the guest.
  case path(String)
}
