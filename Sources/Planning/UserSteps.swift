import GuestSpec

/// The guest's users: with a user namespace, all that a start makes belongs to the guest's root user, and PID 1 has no privilege on the
/// host.
struct UserSteps {
  private let guest: Guest
  private let facts: StartFacts
  private let slots: Slots

  init(_ guest: Guest, _ facts: StartFacts, _ slots: Slots) {
    (self.guest, self.facts, self.slots) = (guest, facts, slots)
  }

  /// The first steps: as whom the child makes files, the session, the keyring, the namespaces.
  var beginning: [Step] {
    var steps = [Step.setUmask(0)]
    if let users = facts.users {
      steps.append(.actAsRoot(user: users.map.users.outer, group: users.map.groups.outer))
    } else {
      steps += Self.beginningOfFirst
    }
    // Before anything is mounted: a sysfs shows the network namespace of the process that mounts it.
    if let slot = slots.slot(of: .network) { steps.append(.enter(.network, slot: slot)) }
    steps.append(.propagate(.slave, path: "/"))
    return steps
  }

  /// How the process that becomes PID 1 begins.
  private static let beginningOfFirst: [Step] = [.newSession, .newKeyring]

  /// Where the host's proc is mounted while the guest's is. It lies on the guest's /run, and is removed before PID 1 executes.
  private static let pin = "/run/.proc"

  /// Lets every user ping, as on a host with systemd. systemd in the guest cannot: its range has group IDs that the user namespace does
  /// not map, which the kernel refuses. A failure is ignored, because a kernel may have no IPv4.
  var lettingPing: [Step] {
    guard let groups = facts.users?.map.groups, groups.count > 0 else { return [] }
    let range = "\(groups.inner) \(groups.inner + (groups.count - 1))"
    return [.setSysctl(path: "/proc/sys/net/ipv4/ping_group_range", range, lenient: true)]
  }

  /// Crosses into the guest's user namespace. Mounts made before are locked for the guest; mounts made afterwards are the guest's own.
  var crossing: [Step] {
    // Before crossing, because raising a hard limit needs CAP_SYS_RESOURCE on the host.
    let limits = Resource.limits(of: facts.host.limits, asked: guest.exec.process.limits)
    guard let slot = slots.slot(of: .users) else { return limits }
    let crossing: [Step] = [
      // The first process's mounts become slaves of these, so that unmounting the pin propagates to them.
      .propagate(.shared, path: "/"),
      .makeDirectory(path: Self.pin, mode: 0),
      // In a user namespace the kernel allows a new proc only while another one is fully visible.
      .mount(type: "proc", target: Self.pin, flags: .inert, data: "", optional: false),
      .cross(slot: slot, pin: Self.pin),
    ]
    return limits + crossing + Self.beginningOfFirst
  }
}
