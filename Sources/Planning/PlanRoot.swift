import GuestSpec

/// The root: what `Directory=`, `Volatile=` and `ReadOnly=` make of it.
extension PlanBuilder {
  private static let volatileData = "mode=0755,size=25%,nr_inodes=1m"

  /// The host's side: mounts the root on the staging directory.
  mutating func mountRoot() throws(PlanError) {
    switch guest.files.volatile {
    case .no where guest.isEphemeral: try mountEphemeral()
    case .no, .state:
      let slot = open(facts.root, recursive: true)
      mapRoot(slot, facts.root, recursive: true)
      steps.append(.attach(slot: slot, source: facts.root, target: facts.staging))
    case .yes:
      guard facts.topLevelLinks.contains(where: { $0.name == "bin" }) else {
        throw .rootIsNotMergedUsr(root: facts.root == "/" ? "" : facts.root)
      }
      mountVolatile()
      let usr = facts.root == "/" ? "/usr" : facts.root + "/usr"
      let slot = openOwn(usr, .readOnly)
      mapRoot(slot, usr, recursive: true)
      hostSlots["usr"] = slot
    case .overlay:
      mountVolatile()
      mountOverlay(of: lowerDirectory(in: facts.staging), in: facts.staging)
    }
    // The clone of a slave follows the host's mounts; the root is to be as it was when the guest started.
    steps.append(.propagate(.private, path: facts.staging))
  }

  /// What lies below what the guest writes: mapped, the root has to be mounted somewhere, which is in `directory`.
  mutating func lowerDirectory(in directory: String) -> String {
    guard let users = facts.users, users.root != .none else { return facts.root }
    let lower = directory + "/lower"
    steps.append(.makeDirectory(path: lower, mode: 0o755))
    let slot = open(facts.root)
    mapRoot(slot, facts.root, recursive: false)
    steps.append(.attach(slot: slot, source: facts.root, target: lower))
    return lower
  }

  private mutating func mountVolatile() {
    steps.append(
      .mount(
        type: "tmpfs", target: facts.staging, flags: .strictAccessTime, data: Self.volatileData + owner, optional: false
      ))
  }

  /// Opens what /run/host shows of the host, and the host's device nodes where none can be made.
  mutating func openHostFiles() {
    if let file = facts.hostOSReleaseFile {
      hostSlots["os-release"] = open(file, [.readOnly, .inert])
    }
    if let socket = facts.notifySocket {
      hostSlots["notify"] = open(socket)
    }
    if let directory = facts.incoming { hostSlots["incoming"] = open(directory, [.readOnly, .noSetUID]) }
    if let fifo = facts.kernelMessages { hostSlots["kmsg"] = open(fifo, .inert) }
    if facts.hasSELinux {
      hostSlots["selinux"] = open("/sys/fs/selinux", [.readOnly, .noSetUID, .noExecute])
    }
    if !facts.mayMakeNodes {
      for device in Self.devices { hostSlots[device.path] = open(device.path, [.noSetUID, .noExecute]) }
    }
  }

  mutating func enterRoot() throws(PlanError) {
    steps.append(.switchRoot(staging: facts.staging))
    guard let pivot = guest.exec.pivotRoot else { return }
    // Nothing but /usr is in it.
    if guest.files.volatile == .yes { throw .pivotInVolatileRoot }
    // pivot_root(2) wants a mount, and the directory is none: it is bound on itself.
    let slot = open(pivot.new, recursive: true)
    steps.append(.attach(slot: slot, source: pivot.new, target: pivot.new))
    steps.append(.pivotRoot(new: pivot.new, old: pivot.old))
  }

  /// Makes the directories a root cannot do without, and lets it become read-only before anything is mounted in it.
  mutating func fillRoot() throws(PlanError) {
    for (path, mode) in Self.directories { steps.append(.makeDirectory(path: path, mode: mode)) }
    if guest.files.volatile == .yes {
      for (path, mode) in Self.volatileDirectories { steps.append(.makeDirectory(path: path, mode: mode)) }
      for link in facts.topLevelLinks { steps.append(.makeLink(path: "/" + link.name, target: link.target)) }
      attachHost("usr", facts.root == "/" ? "/usr" : facts.root + "/usr", at: "/usr")
    }
    if writesMachineID {
      steps.append(.writeFile(path: "/etc/machine-id", mode: 0o444, contents: facts.machineID + "\n"))
    }
    try settleEtc()
    if guest.files.readOnly || guest.files.volatile == .state {
      steps.append(.change(path: "/", set: .readOnly, recursive: true))
    }
    if guest.files.volatile == .state { mountTemporary("/var", "mode=0755,size=25%,nr_inodes=1m") }
  }

  /// A root that forgets everything would have its first boot every time: presets applied, questions asked.
  private var writesMachineID: Bool {
    switch guest.files.volatile {
    case .yes: true
    case .overlay: facts.rootMachineID != facts.machineID
    case .no: guest.isEphemeral && facts.rootMachineID != nil && facts.rootMachineID != facts.machineID
    case .state: false
    }
  }

  private static let directories: [(String, UInt16)] = [
    ("/dev", 0o755), ("/proc", 0o555), ("/run", 0o755), ("/sys", 0o555), ("/tmp", 0o1777),
  ]

  private static let volatileDirectories: [(String, UInt16)] = [
    ("/etc", 0o755), ("/usr", 0o755), ("/var", 0o755), ("/root", 0o700), ("/home", 0o755),
  ]

  /// Attaches what was opened under `name`, if it was.
  mutating func attachHost(_ name: String, _ source: String, at target: String) {
    guard let slot = hostSlots[name] else { return }
    steps.append(.attach(slot: slot, source: source, target: target))
  }

  /// A tmpfs for data: no devices, no programs with the set-user-ID bit.
  mutating func mountTemporary(_ target: String, _ data: String, _ flags: MountFlags = [.noSetUID, .noDevices]) {
    steps.append(.mount(type: "tmpfs", target: target, flags: flags, data: data + owner, optional: false))
  }
}
