import Glibc
import Linux

/// The cgroup in which a systemd that is PID 1 of a guest is alone, `init.scope`: by it the rest of the guest can be let go on before
/// PID 1 does.
public struct LeaderScope: ~Copyable {
  private let payload: String
  private let freezer: OwnedFD

  /// Holds PID 1 of the guest back, whatever becomes of the cgroups above, until `letGo()`.
  ///
  /// - Returns: nil when PID 1 has no such cgroup.
  init?(holdingBackIn payload: String) {
    guard let freezer = try? Cgroup2.open(payload + Self.freezeFile, O_WRONLY),
      (try? Cgroup2.write("1", to: freezer, payload + Self.freezeFile)) != nil
    else { return nil }
    self.payload = payload
    self.freezer = freezer
  }

  private static let name = "/init.scope"
  private static let freezeFile = name + "/cgroup.freeze"

  /// Lets PID 1 go on.
  ///
  /// - Throws: `SystemError` of write(2).
  public func letGo() throws(SystemError) { try Cgroup2.write("0", to: freezer, payload + Self.freezeFile) }

  /// Lets a PID 1 go on that an earlier daemon held back.
  static func letGo(in payload: String) {
    guard let freezer = try? Cgroup2.open(payload + freezeFile, O_WRONLY) else { return }
    try? Cgroup2.write("0", to: freezer, payload + freezeFile)
  }

  /// Whether somebody else in the guest has work to do at this moment.
  public var areOthersBusy: Bool {
    let groups = (try? Cgroup2.tree(payload)) ?? []
    return groups.contains { $0 != payload + Self.name && (try? Cgroup2.isBusy($0)) == true }
  }
}

extension GuestCgroup {
  /// Holds PID 1 back before the rest of the guest is let go on; nil when PID 1 is no systemd with a cgroup of its own.
  public func holdLeaderBack() -> LeaderScope? { LeaderScope(holdingBackIn: payloadPath) }

  /// Undoes what a daemon that was killed may have left: every process goes on.
  ///
  /// - Throws: `SystemError` of write(2); `ENODEV` when it is gone.
  public func thawAll() throws(SystemError) {
    LeaderScope.letGo(in: payloadPath)
    try setFrozen(false)
  }
}
