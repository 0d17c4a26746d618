/// A directory of the host in which root of a guest can make files owned by users of the host, so also set-user-ID programs and ones with
/// file capabilities. Other users of the host must not reach it.
public struct ExposedDirectory: Equatable, Sendable {
  /// The setting that names it.
  public var setting: String
  /// Its path on the host.
  public var path: String
  /// Whose files root of the guest can make there.
  public var owner: Owner
  /// What helps, in the imperative.
  var remedies: [String]

  /// Whose files root of the guest makes in a directory.
  public enum Owner: Equatable, Sendable {
    case root
    /// The owner of the directory only.
    case ofDirectory
    /// The owner of a home. The guest acts as that user, who keeps others out by the mode of his home alone.
    case ofHome
  }

  /// Whether only the directories above it can keep others out: root of the guest can change the mode of the directory itself.
  public var isOpenedByGuest: Bool { owner != .ofHome }

  /// Says that others can reach the directory, and what helps.
  public var problem: String {
    "\(setting): users of this host can reach \(path), where root of the guest could leave them programs that run as "
      + "\(owner == .root ? "the host's root" : "its owner") (set-user-ID); \(remedies.joined(separator: ", or "))"
  }

  /// Remedies that stop other users from entering the directory above.
  static func closing(above path: String) -> [String] {
    let parent = path.split(separator: "/").dropLast()
    let above = "/" + parent.joined(separator: "/")
    return (parent.count < 2 || shared.contains(above) ? [] : ["chmod 0700 \(above)"])
      + ["move it below a directory that only root may enter, such as /var/lib/machines"]
  }

  private static let shared: Set<String> = [
    "/var/lib", "/var/tmp", "/var/cache", "/var/log", "/usr/local", "/usr/share", "/usr/lib", "/run/user",
  ]

  /// The home of a user of the host that `BindUser=` binds: the guest's root can act as that user.
  public static func home(of user: String, path: String) -> ExposedDirectory {
    ExposedDirectory(
      setting: "BindUser=\(user)", path: path, owner: .ofHome, remedies: ["chmod 0700 \(path)"])
  }
}

extension Guest {
  /// The directories that root of this guest is to be able to write to with users of the host's.
  ///
  /// - Parameters:
  ///   - root: the guest's root directory.
  ///   - isMapped: whether it is mounted with mapped owners.
  ///   - hasHostIDs: whether the guest's user IDs are IDs of the host's users, as with `PrivateUsers=identity`.
  /// - Returns: one for each, in the order of the settings; none for a guest that can write to none.
  public func exposedDirectories(root: String, isMapped: Bool, hasHostIDs: Bool) -> [ExposedDirectory] {
    var exposed: [ExposedDirectory] = []
    if writesToItsDirectory, isMapped || hasHostIDs {
      let others = hasHostIDs ? [] : ["write PrivateUsersOwnership=chown, Ephemeral=yes or ReadOnly=yes"]
      exposed.append(
        ExposedDirectory(
          setting: "Directory=", path: root, owner: .root, remedies: ExposedDirectory.closing(above: root) + others))
    }
    for case .bind(let source, _, readOnly: false, _, _, let owners) in files.mounts where !source.isEmpty {
      let owner: ExposedDirectory.Owner
      switch owners {
      case .noidmap where !hasHostIDs: continue
      case .noidmap, .idmap: owner = .root
      case .rootidmap, .owneridmap: owner = .ofDirectory
      }
      let other = owners == .noidmap ? "write BindReadOnly=" : "bind it without the option \(owners.rawValue)"
      exposed.append(
        ExposedDirectory(
          setting: "Bind=", path: source, owner: owner, remedies: ExposedDirectory.closing(above: source) + [other]))
    }
    // The layers of an overlay are not mapped.
    for case .overlay(let layers, _, readOnly: false) in files.mounts where hasHostIDs {
      guard case .host(let upper)? = layers.last else { continue }
      exposed.append(
        ExposedDirectory(
          setting: "Overlay=", path: upper, owner: .root,
          remedies: ExposedDirectory.closing(above: upper) + ["leave the last path of Overlay= empty"]))
    }
    return exposed
  }

  /// What `exposedDirectories` returns for a guest that gets the users that its files ask for; none for a guest without a user namespace
  /// (`PrivateUsers=no`).
  public func exposedDirectories(root: String) -> [ExposedDirectory] {
    switch privateUsersWithDefault {
    case .no: []
    case .identity: exposedDirectories(root: root, isMapped: false, hasHostIDs: true)
    case .range(let base, _):
      exposedDirectories(root: root, isMapped: mayMapRoot, hasHostIDs: base < PrivateUsers.usualCount)
    case .owner: exposedDirectories(root: root, isMapped: false, hasHostIDs: false)
    case .pick: exposedDirectories(root: root, isMapped: mayMapRoot, hasHostIDs: false)
    }
  }

  /// Whether what the guest writes into its root gets into `Directory=`. Otherwise its root is read-only, or the changes go to a directory of
  /// the daemon's.
  public var writesToItsDirectory: Bool { files.volatile == .no && !files.readOnly && !exec.root.ephemeral }

  private var privateUsersWithDefault: PrivateUsers { exec.privateUsers ?? .pick }

  private var mayMapRoot: Bool {
    switch files.usersOwnership {
    case nil, .map, .auto: true
    case .off, .chown: false
    }
  }
}
