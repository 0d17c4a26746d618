import GuestSpec

/// Makes the plan of a launch from the guest's settings and the facts: steps, environment, descriptors.
///
/// - Throws: `PlanError` when the guest's file asks for something impossible.
public func plan(_ guest: Guest, _ facts: StartFacts) throws(PlanError) -> LaunchPlan {
  if facts.root == "/", guest.files.volatile == .no, !guest.files.readOnly { throw .hostRootIsWritable }
  let command = try PlanEnvironment.command(guest.exec)
  var builder = PlanBuilder(guest: guest, facts: facts)
  try builder.write(until: command.step)
  var plan = LaunchPlan()
  plan.steps = builder.steps
  plan.notes = builder.notes
  plan.arguments = command.arguments
  plan.environment = PlanEnvironment.variables(guest, facts)
  plan.users = facts.users?.map
  plan.network = LaunchPlan.Network(guest.network)
  plan.preloaded = builder.preloaded
  plan.devices = facts.mayRestrictDevices ? Device.ofEveryGuest + facts.boundDevices : nil
  plan.oomScoreAdjust = guest.exec.oomScoreAdjust
  for limit in CgroupLimit.all(guest.policy.resources, facts.machine) {
    if facts.controllers.contains(limit.controller) {
      plan.limits.append(limit)
    } else {
      plan.unmetLimits.append(limit)
    }
  }
  plan.terminals = guest.policy.terminals
  plan.listenerCount = facts.listenerNames.count
  plan.slotCount = builder.slotCount
  return plan
}

/// A plan that is being made: the steps so far, and the slots in use. Its extensions are the chapters of a launch.
struct PlanBuilder {
  let guest: Guest
  let facts: StartFacts
  var steps: [Step] = []
  var notes: [PlanNote] = []
  var scratchCount = 0
  let preloaded: [Preloaded]
  private(set) var slotCount: Int
  /// The slots that are opened before the switch for the chapters after it, by name.
  var hostSlots: [String: Int] = [:]

  init(guest: Guest, facts: StartFacts) {
    self.guest = guest
    self.facts = facts
    var preloaded: [Preloaded] = [.terminals]
    if LaunchPlan.Network(guest.network) != .host { preloaded.append(.network) }
    if facts.users != nil { preloaded.append(.users) }
    preloaded += facts.mappings.map { .mapping($0) }
    preloaded += facts.handed
    if guest.exec.processTwo { preloaded.append(.smallInit) }
    self.preloaded = preloaded
    slotCount = preloaded.count
  }

  /// Writes all chapters, in the order in which they are executed.
  mutating func write(until last: Step) throws(PlanError) {
    begin()
    try mountRoot()
    openHostFiles()
    openEtc()
    openJournal()
    openHomes()
    let custom = try openCustomMounts()
    try enterRoot()
    try fillRoot()
    mountRun()
    showUsers()
    mountSys()
    mountDev()
    steps += custom.before
    mountJournal()
    steps.append(.change(path: "/run/host", set: .readOnly, recursive: false))
    cross()
    mountProc()
    coverProc()
    mountOwn()
    steps += custom.after
    // The Container Interface demands that all mounts are shared when systemd starts, and none of them with the host.
    steps.append(.propagate(.shared, path: "/"))
    steps.append(.setHostname(guest.exec.hostname ?? guest.name))
    if guest.network.isPrivate { steps.append(.bringUpLoopback) }
    steps += [.setUmask(0o022), .openConsole(path: "/dev/console")]
    try becomePayload()
    steps.append(last)
  }

  /// The slot of a preloaded descriptor; nil when this guest does not have it.
  func slot(of descriptor: Preloaded) -> Int? { preloaded.firstIndex(of: descriptor) }

  /// Attaches the preloaded `mount`, if this guest has it.
  mutating func attach(_ mount: Preloaded, _ source: String, at target: String) {
    guard let slot = slot(of: mount) else { return }
    steps.append(.attach(slot: slot, source: source, target: target))
  }

  /// Opens `source` into a new slot.
  mutating func open(
    _ source: String, _ attributes: MountFlags = [], recursive: Bool = false, optional: Bool = false
  ) -> Int {
    let slot = slotCount
    slotCount += 1
    steps.append(
      .open(slot: slot, source: source, attributes: attributes, recursive: recursive, optional: optional))
    return slot
  }

  /// Opens a directory of the guest's own root into a new slot.
  mutating func openOwn(_ source: String, _ attributes: MountFlags) -> Int {
    let slot = slotCount
    slotCount += 1
    steps.append(.openOwn(slot: slot, source: source, attributes: attributes))
    return slot
  }
}
