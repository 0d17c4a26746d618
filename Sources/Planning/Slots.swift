import GuestSpec

/// The slots of a plan: they hold descriptors from the step that opens one to the steps that use it. The first slots hold what the daemon
/// opens before it makes the child.
struct Slots {
  let preloaded: [Preloaded]
  /// How many slots are in use.
  private(set) var count: Int

  init(_ guest: Guest, _ facts: StartFacts) {
    var preloaded: [Preloaded] = [.terminals]
    if LaunchPlan.Network(guest.network) != .host { preloaded.append(.network) }
    if facts.users != nil { preloaded.append(.users) }
    preloaded += facts.mappings.map { .mapping($0) }
    preloaded += facts.hostSide.mounts
    if guest.exec.processTwo { preloaded.append(.smallInit) }
    self.preloaded = preloaded
    count = preloaded.count
  }

  /// The slot of a preloaded descriptor; nil when this guest does not have it.
  func slot(of descriptor: Preloaded) -> Int? { preloaded.firstIndex(of: descriptor) }

  /// A step that attaches the preloaded `mount`; none if this guest does not have it.
  func attaching(_ mount: Preloaded, _ source: String, at target: String) -> [Step] {
    slot(of: mount).map { [.attach(slot: $0, source: source, target: target)] } ?? []
  }

  /// Opens a path of the host into a new slot.
  mutating func open(
    _ source: String, _ attributes: MountFlags = [], recursive: Bool = false, optional: Bool = false
  ) -> OpenedSource {
    let slot = next()
    return OpenedSource(
      slot: slot, path: source,
      opening: .open(slot: slot, source: source, attributes: attributes, recursive: recursive, optional: optional))
  }

  /// Opens a directory of the guest's own root into a new slot.
  mutating func openOwn(_ source: String, _ attributes: MountFlags) -> OpenedSource {
    let slot = next()
    return OpenedSource(
      slot: slot, path: source, opening: .openOwn(slot: slot, source: source, attributes: attributes))
  }

  private mutating func next() -> Int {
    defer { count += 1 }
    return count
  }
}

/// A file or directory that is opened by its path on the host, to be attached in the guest after the switch of roots.
struct OpenedSource {
  let slot: Int
  let path: String
  /// The step that opens it.
  let opening: Step

  /// The step that attaches it.
  func attached(at target: String) -> Step { .attach(slot: slot, source: path, target: target) }

  /// The step that maps the owners of its files by the user namespace in the slot `users`.
  func mapped(by users: Int, recursive: Bool) -> Step {
    .map(slot: slot, users: users, source: path, recursive: recursive)
  }
}
