import GuestSpec

/// The guest's own users: everything that a start makes belongs to the guest's root, and PID 1 has no privilege of the host.
extension PlanBuilder {
  /// What begins a start: who makes it, and what the first process has of its own.
  mutating func begin() {
    steps.append(.setUmask(0))
    if let users = facts.users {
      steps.append(.actAsRoot(user: users.map.users.outer, group: users.map.groups.outer))
    } else {
      beginFirst()
    }
    // Before anything is mounted: a sysfs shows the network of who mounts it.
    if let slot = slot(of: .network) { steps.append(.enter(.network, slot: slot)) }
    steps.append(.propagate(.slave, path: "/"))
  }

  private mutating func beginFirst() {
    steps += [.newSession, .newKeyring, .newCgroupNamespace]
  }

  /// Above the guest's own /run, where it is removed again before PID 1 executes.
  private static let pin = "/run/.proc"

  /// Leaves the host's users. What is mounted until here is locked for the guest; what is mounted after it is the guest's own.
  mutating func cross() {
    // Raising a hard limit takes a privilege of the host.
    steps += Resource.limits(of: facts.limits, asked: guest.exec.limits)
    guard let slot = slot(of: .users) else { return }
    steps += [
      // The first process's mounts become slaves of these, so that the pin can be taken out of them.
      .propagate(.shared, path: "/"),
      .makeDirectory(path: Self.pin, mode: 0),
      // In a user namespace the kernel allows a proc only beside one that hides nothing.
      .mount(type: "proc", target: Self.pin, flags: .inert, data: "", optional: false),
      .cross(slot: slot, pin: Self.pin),
    ]
    beginFirst()
  }

  /// After the guest's own proc is mounted.
  mutating func unpin() {
    if facts.users != nil { steps.append(.unpin) }
  }

  /// For a tmpfs: its root belongs to the guest's root.
  var owner: String {
    facts.users.map { ",uid=\($0.map.users.outer),gid=\($0.map.groups.outer)" } ?? ""
  }

  /// The options of a tmpfs, in which users and groups are the guest's.
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

  /// Translates the owners of the files of a bind mount. A fresh directory of the start's own is the guest's already.
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

  /// Translates the owners of the files of the root, or of a part of it, that is in `slot`.
  mutating func mapRoot(_ slot: Int, _ source: String, recursive: Bool) {
    guard let users = facts.users, users.root != .none, let namespace = self.slot(of: .users) else { return }
    steps.append(.map(slot: slot, users: namespace, source: source, recursive: recursive && users.root == .tree))
  }
}
