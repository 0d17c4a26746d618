import GuestSpec

/// The guest's users: with a user namespace, all that a start makes belongs to the guest's root user, and PID 1 has no privilege on the
/// host.
extension PlanBuilder {
  /// The first steps: as whom the child makes files, the session, the keyring, the namespaces.
  mutating func begin() {
    steps.append(.setUmask(0))
    if let users = facts.users {
      steps.append(.actAsRoot(user: users.map.users.outer, group: users.map.groups.outer))
    } else {
      beginFirst()
    }
    // Before anything is mounted: a sysfs shows the network namespace of the process that mounts it.
    if let slot = slot(of: .network) { steps.append(.enter(.network, slot: slot)) }
    steps.append(.propagate(.slave, path: "/"))
  }

  private mutating func beginFirst() {
    steps += [.newSession, .newKeyring, .newCgroupNamespace]
  }

  /// Where the host's proc is mounted while the guest's is. It lies on the guest's /run, and is removed before PID 1 executes.
  private static let pin = "/run/.proc"

  /// Crosses into the guest's user namespace. Mounts made before are locked for the guest; mounts made afterwards are the guest's own.
  mutating func cross() {
    // Before crossing, because raising a hard limit needs CAP_SYS_RESOURCE on the host.
    steps += Resource.limits(of: facts.limits, asked: guest.exec.limits)
    guard let slot = slot(of: .users) else { return }
    steps += [
      // The first process's mounts become slaves of these, so that unmounting the pin propagates to them.
      .propagate(.shared, path: "/"),
      .makeDirectory(path: Self.pin, mode: 0),
      // In a user namespace the kernel allows a new proc only while another one is fully visible.
      .mount(type: "proc", target: Self.pin, flags: .inert, data: "", optional: false),
      .cross(slot: slot, pin: Self.pin),
    ]
    beginFirst()
  }

  /// Has the pin unmounted. Called after the guest's own proc is mounted.
  mutating func unpin() {
    if facts.users != nil { steps.append(.unpin) }
  }

  /// The options by which the root directory of a tmpfs belongs to the guest's root user.
  var owner: String {
    facts.users.map { ",uid=\($0.map.users.outer),gid=\($0.map.groups.outer)" } ?? ""
  }

  /// The options of a tmpfs, with the guest's user and group IDs replaced by the host's.
  func ownedByGuest(_ options: String) -> String {
    guard let map = facts.users?.map else { return options }
    var options = options.split(separator: ",").map(String.init)
    for (name, extent) in [("uid=", map.users), ("gid=", map.groups)] {
      let index = options.firstIndex { $0.hasPrefix(name) }
      let id = index.map { options[$0].dropFirst(name.count) }.flatMap { UInt32($0) } ?? 0
      let option = name + String(extent.outer &+ id)
      if let index { options[index] = option } else { options.append(option) }
    }
    return options.joined(separator: ",")
  }

  /// Maps the owners of the files of a bind mount. A new scratch directory belongs to the guest already.
  mutating func mapBind(
    _ slot: Int, _ source: String, _ owners: BindOwners, to destination: String, recursive: Bool
  ) {
    let namespace: Int? =
      switch owners {
      case .noidmap: nil
      case .idmap: self.slot(of: .users)
      case .rootidmap, .owneridmap: facts.bindMaps[destination].flatMap { self.slot(of: .mapping($0)) }
      }
    guard let namespace, !source.hasPrefix((facts.scratch ?? "\0") + "/") else { return }
    steps.append(.map(slot: slot, users: namespace, source: source, recursive: recursive))
  }

  /// Maps the owners of the files of the root, or of the part of it, that is in `slot`.
  mutating func mapRoot(_ slot: Int, _ source: String, recursive: Bool) {
    guard let users = facts.users, users.root != .none, let namespace = self.slot(of: .users) else { return }
    steps.append(.map(slot: slot, users: namespace, source: source, recursive: recursive && users.root == .tree))
  }
}
