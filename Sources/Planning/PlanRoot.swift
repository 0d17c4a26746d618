import GuestSpec

/// The root: `Directory=`, `Volatile=` and `ReadOnly=`.
extension PlanBuilder {
  private static let volatileData = "mode=0755,size=25%,nr_inodes=1m"

  /// Mounts the root on the staging directory, by paths of the host.
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
    // A clone of a slave mount is a slave too, so later mounts of the host would appear in the root. Private, it stays as it is at the
    // start.
    steps.append(.propagate(.private, path: facts.staging))
  }

  /// The lower layer of the root's overlay. An idmapped root has to be mounted somewhere to be one, which is in `directory`.
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

  /// Opens the host's files that /run/host shows, and the host's device nodes where mknod(2) makes none.
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
    // A volatile root contains nothing but /usr.
    if guest.files.volatile == .yes { throw .pivotInVolatileRoot }
    // pivot_root(2) needs a mount point, so the directory is bound on itself.
    let slot = open(pivot.new, recursive: true)
    steps.append(.attach(slot: slot, source: pivot.new, target: pivot.new))
    steps.append(.pivotRoot(new: pivot.new, old: pivot.old))
  }

  /// Makes the directories that a root needs, and makes it read-only before anything is mounted in it.
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
    try writeEtc()
    if guest.files.readOnly || guest.files.volatile == .state {
      steps.append(.change(path: "/", set: .readOnly, recursive: true))
    }
    if guest.files.volatile == .state { mountTemporary("/var", "mode=0755,size=25%,nr_inodes=1m") }
  }

  /// Whether the start writes /etc/machine-id. Without one, a root that is discarded would have its first boot every time: systemd would
  /// apply presets and ask questions.
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

  /// Attaches the slot that was opened under `name`, if there is one.
  mutating func attachHost(_ name: String, _ source: String, at target: String) {
    guard let slot = hostSlots[name] else { return }
    steps.append(.attach(slot: slot, source: source, target: target))
  }

  /// Mounts a tmpfs for data: without device nodes, and without the effect of set-user-ID bits.
  mutating func mountTemporary(_ target: String, _ data: String, _ flags: MountFlags = [.noSetUID, .noDevices]) {
    steps.append(.mount(type: "tmpfs", target: target, flags: flags, data: data + owner, optional: false))
  }
}
