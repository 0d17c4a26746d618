import GuestSpec

/// The file systems that every guest has when its init starts, as the Container Interface demands. If one were missing, systemd in the
/// guest would not fail but mount its own: a /dev with the host's devices, a writable /sys.
struct SystemMountSteps {
  private let guest: Guest
  private let facts: StartFacts
  private let tmpfs: GuestTmpfs
  private let slots: Slots
  private let sources: HostSources

  init(_ guest: Guest, _ facts: StartFacts, _ slots: inout Slots) {
    (self.guest, self.facts, tmpfs) = (guest, facts, GuestTmpfs(facts.users))
    sources = HostSources(facts, &slots)
    self.slots = slots
  }

  /// Opens what these file systems show of the host.
  var opening: [Step] { sources.opening }

  /// Mounts /tmp, /run and /run/host. The covers for /proc are in /run/host, so this comes first.
  var run: [Step] {
    var steps = [tmpfs.mount("/run", "mode=0755,size=20%,nr_inodes=800k")]
    if guest.exec.boot {
      steps.append(
        tmpfs.mount("/tmp", "mode=01777,size=10%,nr_inodes=1m", [.noSetUID, .noDevices, .strictAccessTime]))
    }
    // A file system of its own, so that all of it can be made read-only once it is filled.
    steps.append(.makeDirectory(path: "/run/host", mode: 0o755))
    steps.append(tmpfs.mount("/run/host", "mode=0755,size=4m,nr_inodes=1k", .inert))
    steps.append(
      .writeFile(
        path: "/run/host/container-manager", mode: 0o444, contents: ContainerInterface.manager + "\n"))
    steps.append(
      .writeFile(
        path: "/run/host/container-uuid", mode: 0o444,
        contents: ContainerInterface.dashed(facts.identity.machineID) + "\n"))
    if let file = sources.osRelease { steps.append(file.attached(at: "/run/host/os-release")) }
    if let socket = sources.notifySocket { steps.append(socket.attached(at: ContainerInterface.notifySocket)) }
    if let directory = sources.incoming { steps.append(directory.attached(at: "/run/host/incoming")) }
    if let file = sources.kernelMessages { steps.append(file.attached(at: Self.kernelMessages)) }
    if let id = facts.identity.bootID {
      steps.append(.writeFile(path: Self.bootID, mode: 0o444, contents: id + "\n"))
    }
    steps += slots.attaching(.credentials, "the credentials", at: ContainerInterface.credentials)
    steps += slots.attaching(.unixExport, "the exported sockets", at: "/run/host/unix-export")
    return steps + inaccessible
  }

  private var inaccessible: [Step] {
    let directory = ContainerInterface.inaccessible
    var nodes: [(String, Step.Node)] = [("reg", .file), ("fifo", .fifo), ("sock", .socket)]
    if facts.host.mayMakeNodes {
      nodes.append(("chr", .character(major: 0, minor: 0)))
      nodes.append(("blk", .block(major: 0, minor: 0)))
    }
    return [.makeDirectory(path: directory, mode: 0o755), .makeDirectory(path: directory + "/dir", mode: 0)]
      + nodes.map { name, node in .makeNode(node, path: "\(directory)/\(name)", mode: 0) }
  }

  /// Mounts the parts of sysfs that a guest sees.
  var sys: [Step] {
    let whole = "/sys/.whole"
    var steps = [
      tmpfs.mount("/sys", "mode=0755,size=4m,nr_inodes=1k", .inert),
      .makeDirectory(path: whole, mode: 0),
      .mount(type: "sysfs", target: whole, flags: .inert, data: "", optional: false),
    ]
    for name in Self.shownOfSys {
      // The mount is made read-only, not the file system: in the host's network namespace that is the host's own sysfs.
      steps.append(bindOwn("\(whole)/\(name)", "/sys/\(name)", [.readOnly, .inert], optional: true))
    }
    steps.append(.detach(path: whole))
    steps.append(.makeDirectory(path: "/sys/fs", mode: 0o755))
    steps.append(.makeDirectory(path: "/sys/fs/cgroup", mode: 0o755))
    if let selinux = sources.selinux { steps.append(selinux.attached(at: selinux.path)) }
    return steps
  }

  /// Makes the guest's /sys read-only, once all mount points in it are made.
  let sealingSys = Step.change(path: "/sys", set: .readOnly, recursive: false)

  /// The directories of sysfs that a guest sees. Left out are the host's firmware tables, modules and file systems.
  private static let shownOfSys = ["block", "bus", "class", "dev", "devices", "kernel"]

  /// Makes /dev, with terminals and shared memory.
  var dev: [Step] {
    var steps = [tmpfs.mount("/dev", "mode=0755,size=4m,nr_inodes=64k", [.noSetUID, .strictAccessTime])]
    if facts.host.mayMakeNodes {
      steps += HostSources.devices.map {
        .makeNode(.character(major: $0.major, minor: $0.minor), path: $0.path, mode: 0o666)
      }
    } else {
      steps += sources.devices.map { $0.attached(at: $0.path) }
    }
    for (name, target) in Self.deviceLinks { steps.append(.makeLink(path: "/dev/" + name, target: target)) }
    steps.append(.makeDirectory(path: "/dev/pts", mode: 0o755))
    steps.append(.attachTerminals(target: "/dev/pts"))
    steps.append(.makeDirectory(path: "/dev/shm", mode: 0o1777))
    steps.append(tmpfs.mount("/dev/shm", "mode=01777,size=10%,nr_inodes=400k"))
    steps.append(.makeDirectory(path: "/dev/mqueue", mode: 0o755))
    return steps
  }

  private static let deviceLinks = [
    ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"), ("core", "/proc/kcore"), ("ptmx", "pts/ptmx"),
    // The daemon has made the console, the first terminal of the new devpts, which has the number 0.
    ("console", "pts/0"),
  ]

  /// Mounts the guest's own /proc, without what would reach the host.
  var proc: [Step] {
    var steps = [Step.mount(type: "proc", target: "/proc", flags: .inert, data: "", optional: false)]
    if facts.users != nil { steps.append(.unpin) }
    // With a user namespace the interface would allow a writable /proc/sys, because the kernel protects the host's values itself. But what
    // a guest finds there must not depend on its users.
    steps.append(.rebind(path: "/proc/sys", set: [.readOnly, .inert], clear: [], optional: false))
    if guest.network.isPrivate {
      steps.append(.rebind(path: "/proc/sys/net", set: .inert, clear: .readOnly, optional: false))
    }
    for name in ["acpi", "apm", "asound", "bus", "fs", "irq", "scsi"] {
      steps.append(.rebind(path: "/proc/" + name, set: [.readOnly, .inert], clear: [], optional: true))
    }
    for name in ["kallsyms", "kcore", "keys", "sysrq-trigger", "timer_list"] {
      steps.append(.mask(path: "/proc/" + name, optional: true))
    }
    return steps
  }

  private static let kernelMessages = "/run/host/proc-kmsg"
  private static let bootID = "/run/host/proc-sys-kernel-random-boot-id"

  /// Covers files of /proc that show the host's values by the guest's own.
  var coversOfProc: [Step] {
    var steps: [Step] = []
    if sources.kernelMessages != nil { steps.append(bindOwn(Self.kernelMessages, "/proc/kmsg", .inert)) }
    if facts.identity.bootID != nil {
      steps.append(bindOwn(Self.bootID, "/proc/sys/kernel/random/boot_id", [.readOnly, .inert]))
    }
    return steps
  }

  private func bindOwn(
    _ source: String, _ target: String, _ attributes: MountFlags, optional: Bool = false
  ) -> Step {
    .bindOwn(source: source, target: target, attributes: attributes, recursive: false, optional: optional)
  }

  /// Mounts the file systems that show the namespaces of the process that mounts them.
  let own: [Step] = [
    .mount(type: "cgroup2", target: "/sys/fs/cgroup", flags: .inert, data: "", optional: false),
    // Optional: a kernel may be built without POSIX message queues.
    .mount(type: "mqueue", target: "/dev/mqueue", flags: .inert, data: "", optional: true),
  ]
}
