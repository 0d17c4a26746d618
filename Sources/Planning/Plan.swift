import GuestSpec

/// Makes the plan of a launch from the guest's settings and the facts: steps, environment, descriptors.
///
/// - Throws: `PlanError` when the guest's file asks for something impossible.
public func plan(_ guest: Guest, _ facts: StartFacts) throws(PlanError) -> LaunchPlan {
  if facts.root == "/", guest.files.volatile == .no, !guest.files.readOnly { throw .hostRootIsWritable }
  let command = try PlanEnvironment.command(guest.exec, facts.initSystem, version: facts.rootFiles.systemd)
  let builder = try PlanBuilder(guest, facts)
  var plan = LaunchPlan()
  plan.steps = builder.steps(until: command.step)
  plan.notes = builder.notes
  plan.arguments = command.arguments
  plan.environment = PlanEnvironment.variables(guest, facts)
  plan.users = facts.users?.map
  plan.network = LaunchPlan.Network(guest.network)
  plan.preloaded = builder.slots.preloaded
  plan.devices = facts.host.mayRestrictDevices ? Device.ofEveryGuest + facts.boundDevices : nil
  plan.oomScoreAdjust = guest.exec.process.oomScoreAdjust
  for limit in CgroupLimit.all(guest.policy.resources, facts.host.machine) {
    if facts.controllers.contains(limit.controller) {
      plan.limits.append(limit)
    } else if !limit.isDefault {
      plan.unmetLimits.append(limit)
    }
  }
  plan.terminals = guest.policy.terminals
  plan.listenerCount = facts.listenerNames.count
  plan.slotCount = builder.slots.count
  return plan
}

/// The chapters of a launch, and the order of their steps. A chapter whose steps are executed at several places has them by place.
private struct PlanBuilder {
  let guest: Guest
  private(set) var slots: Slots
  let users: UserSteps
  let root: RootSteps
  let etc: EtcSteps
  let journal: JournalSteps
  let boundUsers: BoundUserSteps
  let custom: CustomMountSteps
  let system: SystemMountSteps
  let entering: [Step]
  let privileges: PrivilegeSteps

  /// Opens what is opened by paths of the host in the order in which `steps` has it, so that slots are numbered by their first use.
  init(_ guest: Guest, _ facts: StartFacts) throws(PlanError) {
    self.guest = guest
    slots = Slots(guest, facts)
    var scratch = Scratch(facts)
    users = UserSteps(guest, facts, slots)
    root = try RootSteps(guest, facts, &slots, &scratch)
    system = SystemMountSteps(guest, facts, &slots)
    etc = try EtcSteps(guest, facts, &slots)
    journal = JournalSteps(facts, &slots)
    boundUsers = BoundUserSteps(guest, facts, &slots)
    custom = try CustomMountSteps(guest, facts, &slots, &scratch)
    entering = try RootSteps.entering(guest, facts, &slots)
    privileges = try PrivilegeSteps(guest, facts, slots)
  }

  /// The settings of the guest's file that this start does not apply.
  var notes: [PlanNote] { etc.notes + privileges.notes }

  /// All steps, in the order in which they are executed.
  func steps(until last: Step) -> [Step] {
    var steps = users.beginning
    // By paths of the host:
    steps += root.mounting
    steps += system.opening + etc.opening + journal.opening + boundUsers.opening + custom.opening
    // By paths of the guest:
    steps += entering
    steps += root.filling(etc: etc.writing)
    steps += system.run
    steps += boundUsers.showing
    steps += system.sys
    steps += system.dev
    // A mount below /sys may need a mount point there. A mount on /sys covers ours, which must be read-only before.
    if custom.coversSys { steps.append(system.sealingSys) }
    steps += custom.before
    if !custom.coversSys { steps.append(system.sealingSys) }
    steps += journal.mounting
    steps.append(.change(path: "/run/host", set: .readOnly, recursive: false))
    // In the guest's user namespace:
    steps += users.crossing
    steps += system.proc
    steps += system.coversOfProc
    // As late as possible, so that the mounts are made while systemd makes the guest's scope. The cgroup of the process becomes the root
    // of a new cgroup namespace, and of a cgroup2 mount in it, so the process is moved first.
    steps += [.awaitPlacement, .newCgroupNamespace]
    steps += system.own
    steps += custom.after
    // The Container Interface demands that all mounts are shared when systemd starts, and none of them with the host.
    steps.append(.propagate(.shared, path: "/"))
    steps.append(.setHostname(guest.exec.hostname ?? guest.name))
    if guest.network.isPrivate { steps += [.bringUpLoopback] + users.lettingPing }
    steps += [.setUmask(0o022), .openConsole(path: "/dev/console")]
    steps += privileges.steps
    steps.append(last)
    return steps
  }
}
