import GuestSpec

/// The tmpfs mounts of a guest, which belong to the guest's users.
struct GuestTmpfs {
  private let users: GuestUsers?

  init(_ users: GuestUsers?) { self.users = users }

  /// The options by which the root directory of a tmpfs belongs to the guest's root user.
  var owner: String {
    users.map { ",uid=\($0.map.users.outer),gid=\($0.map.groups.outer)" } ?? ""
  }

  /// Mounts a tmpfs for data: without device nodes, and without the effect of set-user-ID bits.
  func mount(_ target: String, _ data: String, _ flags: MountFlags = [.noSetUID, .noDevices]) -> Step {
    .mount(type: "tmpfs", target: target, flags: flags, data: data + owner, optional: false)
  }

  /// The options of a tmpfs, with the guest's user and group IDs replaced by the host's.
  func options(_ options: String) -> String {
    guard let map = users?.map else { return options }
    var options = options.split(separator: ",").map(String.init)
    for (name, extent) in [("uid=", map.users), ("gid=", map.groups)] {
      let index = options.firstIndex { $0.hasPrefix(name) }
      let id = index.map { options[$0].dropFirst(name.count) }.flatMap { UInt32($0) } ?? 0
      let option = name + String(extent.outer &+ id)
      if let index { options[index] = option } else { options.append(option) }
    }
    return options.joined(separator: ",")
  }
}
