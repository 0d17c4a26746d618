import GuestSpec

/// The root: `Directory=`, `Volatile=`, `Ephemeral=`, `ReadOnly=` and `PivotRoot=`.
///
/// Each of its mounts is without device nodes. An image or a guest may leave nodes in it, but the devices of a guest are in its /dev.
struct RootSteps {
  private let guest: Guest
  private let facts: StartFacts
  /// The guest's /usr, which `Volatile=yes` attaches in an empty root.
  private var usr: OpenedSource?
  /// Mounts the root on the staging directory, by paths of the host.
  private(set) var mounting: [Step] = []

  init(
    _ guest: Guest, _ facts: StartFacts, _ slots: inout Slots, _ scratch: inout Scratch
  ) throws(PlanError) {
    (self.guest, self.facts) = (guest, facts)
    switch guest.files.volatile {
    case .no where guest.isEphemeral:
      // No file is copied, whatever the file system, so the start is as fast as any other. No memory is used for the changes, unlike with
      // Volatile=overlay.
      let directory = try scratch.directory(for: "/")
      mounting.append(directory.making)
      mountOverlay(in: directory.path, &slots)
    case .no, .state:
      let root = slots.open(facts.root, .noDevices, recursive: true)
      mounting += [root.opening] + mapped(root, recursive: true, slots) + [root.attached(at: facts.staging)]
    case .yes:
      guard facts.rootFiles.topLevelLinks.contains(where: { $0.name == "bin" }) else {
        throw .rootIsNotMergedUsr(root: facts.root == "/" ? "" : facts.root)
      }
      let usr = slots.openOwn(facts.root == "/" ? "/usr" : facts.root + "/usr", [.readOnly, .noDevices])
      mounting += [volatileRoot, usr.opening] + mapped(usr, recursive: true, slots)
      self.usr = usr
    case .overlay:
      mounting.append(volatileRoot)
      mountOverlay(in: facts.staging, &slots)
    }
    // A clone of a slave mount is a slave too, so later mounts of the host would appear in the root. Private, it stays as it is at the
    // start.
    mounting.append(.propagate(.private, path: facts.staging))
  }

  private static let volatileData = "mode=0755,size=25%,nr_inodes=1m"

  private var volatileRoot: Step {
    .mount(
      type: "tmpfs", target: facts.staging, flags: [.noDevices, .strictAccessTime],
      data: Self.volatileData + GuestTmpfs(facts.users).owner, optional: false)
  }

  /// Mounts the root as the lower layer of an overlay on the staging directory. Its upper layer is in `directory`.
  private mutating func mountOverlay(in directory: String, _ slots: inout Slots) {
    let lower = lowerDirectory(in: directory, &slots)
    let (upper, work) = (directory + "/upper", directory + "/work")
    mounting.append(.makeDirectory(path: upper, mode: 0o755))
    mounting.append(.makeDirectory(path: work, mode: 0o755))
    mounting.append(
      .overlay(
        [("lowerdir", [lower]), ("upperdir", [upper]), ("workdir", [work])], at: facts.staging, .noDevices,
        discarded: true))
  }

  /// The lower layer of the root's overlay. An idmapped root has to be mounted somewhere to be one, which is in `directory`.
  private mutating func lowerDirectory(in directory: String, _ slots: inout Slots) -> String {
    guard let users = facts.users, users.root != .none else { return facts.root }
    let lower = directory + "/lower"
    mounting.append(.makeDirectory(path: lower, mode: 0o755))
    let root = slots.open(facts.root, .noDevices)
    mounting += [root.opening] + mapped(root, recursive: false, slots) + [root.attached(at: lower)]
    return lower
  }

  /// A step that maps the owners of the files of the root, or of the part of it that was opened; none where nothing is mapped.
  private func mapped(_ source: OpenedSource, recursive: Bool, _ slots: Slots) -> [Step] {
    guard let users = facts.users, users.root != .none, let namespace = slots.slot(of: .users) else { return [] }
    return [source.mapped(by: namespace, recursive: recursive && users.root == .tree)]
  }

  /// Makes the mounted root the root directory.
  static func entering(
    _ guest: Guest, _ facts: StartFacts, _ slots: inout Slots
  ) throws(PlanError) -> [Step] {
    let switching = Step.switchRoot(staging: facts.staging)
    guard let pivot = guest.exec.root.pivot else { return [switching] }
    // A volatile root contains nothing but /usr.
    if guest.files.volatile == .yes { throw .pivotInVolatileRoot }
    // pivot_root(2) needs a mount point, so the directory is bound on itself.
    let new = slots.open(pivot.new, recursive: true)
    return [switching, new.opening, new.attached(at: pivot.new), .pivotRoot(new: pivot.new, old: pivot.old)]
  }

  /// Makes the directories that a root needs, and makes it read-only before anything is mounted in it. `etc` is what changes /etc.
  func filling(etc: [Step]) -> [Step] {
    var steps = Self.directories.map { Step.makeDirectory(path: $0, mode: $1) }
    if let usr {
      steps += Self.volatileDirectories.map { .makeDirectory(path: $0, mode: $1) }
      steps += facts.rootFiles.topLevelLinks.map { .makeLink(path: "/" + $0.name, target: $0.target) }
      steps.append(usr.attached(at: "/usr"))
    } else {
      steps += facts.rootFiles.missing.steps
    }
    if writesMachineID {
      steps.append(
        .writeFile(path: "/etc/machine-id", mode: 0o444, contents: facts.identity.machineID + "\n"))
    }
    steps += etc
    if guest.files.readOnly || guest.files.volatile == .state {
      steps.append(.change(path: "/", set: .readOnly, recursive: true))
    }
    if guest.files.volatile == .state { steps.append(GuestTmpfs(facts.users).mount("/var", Self.volatileData)) }
    return steps
  }

  /// Whether the start writes /etc/machine-id. Without one, a root that is discarded would have its first boot every time: systemd would
  /// apply presets and ask questions.
  private var writesMachineID: Bool {
    let found = facts.identity.rootMachineID
    if guest.files.volatile == .yes { return true }
    if found == facts.identity.machineID { return false }
    // systemd in the guest prefers the ID in this file to that of $container_uuid.
    if found != nil, guest.policy.machineID == facts.identity.machineID { return true }
    return switch guest.files.volatile {
    case .yes, .overlay: true
    case .no: guest.isEphemeral && found != nil
    case .state: false
    }
  }

  private static let directories: [(String, UInt16)] = [
    ("/dev", 0o755), ("/proc", 0o555), ("/run", 0o755), ("/sys", 0o555), ("/tmp", 0o1777),
  ]

  private static let volatileDirectories: [(String, UInt16)] = [
    ("/etc", 0o755), ("/usr", 0o755), ("/var", 0o755), ("/root", 0o700), ("/home", 0o755),
  ]
}

extension StartFacts.MissingTop {
  /// Makes the directories and links that the top of the root lacks.
  fileprivate var steps: [Step] {
    directories.map { .makeDirectory(path: "/" + $0, mode: $0 == "root" ? 0o700 : 0o755) }
      + links.map { .makeLink(path: "/" + $0.name, target: $0.target) }
  }
}
