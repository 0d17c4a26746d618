import GuestSpec

/// The file systems that every guest has when its init starts, as the Container Interface demands. If one were missing, systemd in the
/// guest would not fail but mount its own: a /dev with the host's devices, a writable /sys.
extension PlanBuilder {
  /// Mounts /tmp, /run and /run/host. The covers for /proc are in /run/host, so this comes first.
  mutating func mountRun() {
    mountTemporary("/run", "mode=0755,size=20%,nr_inodes=800k")
    if guest.exec.boot {
      mountTemporary(
        "/tmp", "mode=01777,size=10%,nr_inodes=1m", [.noSetUID, .noDevices, .strictAccessTime])
    }
    // A file system of its own, so that all of it can be made read-only once it is filled.
    steps.append(.makeDirectory(path: "/run/host", mode: 0o755))
    mountTemporary("/run/host", "mode=0755,size=4m,nr_inodes=1k", .inert)
    steps.append(
      .writeFile(
        path: "/run/host/container-manager", mode: 0o444, contents: ContainerInterface.manager + "\n"))
    steps.append(
      .writeFile(
        path: "/run/host/container-uuid", mode: 0o444,
        contents: ContainerInterface.dashed(facts.machineID) + "\n"))
    if let file = facts.hostOSReleaseFile { attachHost("os-release", file, at: "/run/host/os-release") }
    if let socket = facts.notifySocket { attachHost("notify", socket, at: ContainerInterface.notifySocket) }
    if let directory = facts.incoming { attachHost("incoming", directory, at: "/run/host/incoming") }
    if let file = facts.kernelMessages { attachHost("kmsg", file, at: Self.kernelMessages) }
    if let id = facts.bootID { steps.append(.writeFile(path: Self.bootID, mode: 0o444, contents: id + "\n")) }
    attach(.credentials, "the credentials", at: ContainerInterface.credentials)
    attach(.unixExport, "the exported sockets", at: "/run/host/unix-export")
    makeInaccessible()
  }

  private mutating func makeInaccessible() {
    let directory = ContainerInterface.inaccessible
    steps.append(.makeDirectory(path: directory, mode: 0o755))
    steps.append(.makeDirectory(path: directory + "/dir", mode: 0))
    var nodes: [(String, Step.Node)] = [("reg", .file), ("fifo", .fifo), ("sock", .socket)]
    if facts.mayMakeNodes {
      nodes.append(("chr", .character(major: 0, minor: 0)))
      nodes.append(("blk", .block(major: 0, minor: 0)))
    }
    for (name, node) in nodes { steps.append(.makeNode(node, path: "\(directory)/\(name)", mode: 0)) }
  }

  mutating func mountProc() {
    steps.append(.mount(type: "proc", target: "/proc", flags: .inert, data: "", optional: false))
    unpin()
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
  }

  private static let kernelMessages = "/run/host/proc-kmsg"
  private static let bootID = "/run/host/proc-sys-kernel-random-boot-id"

  /// Covers files of /proc that show the host's values by the guest's own.
  mutating func coverProc() {
    if facts.kernelMessages != nil { bindOwn(Self.kernelMessages, "/proc/kmsg", .inert) }
    if facts.bootID != nil { bindOwn(Self.bootID, "/proc/sys/kernel/random/boot_id", [.readOnly, .inert]) }
  }

  private mutating func bindOwn(
    _ source: String, _ target: String, _ attributes: MountFlags, optional: Bool = false
  ) {
    steps.append(.bindOwn(source: source, target: target, attributes: attributes, recursive: false, optional: optional))
  }

  /// The directories of sysfs that a guest sees. Left out are the host's firmware tables, modules and file systems.
  static let shownOfSys = ["block", "bus", "class", "dev", "devices", "kernel"]

  mutating func mountSys() {
    let whole = "/sys/.whole"
    mountTemporary("/sys", "mode=0755,size=4m,nr_inodes=1k", .inert)
    steps.append(.makeDirectory(path: whole, mode: 0))
    steps.append(.mount(type: "sysfs", target: whole, flags: .inert, data: "", optional: false))
    for name in Self.shownOfSys {
      // The mount is made read-only, not the file system: in the host's network namespace that is the host's own sysfs.
      bindOwn("\(whole)/\(name)", "/sys/\(name)", [.readOnly, .inert], optional: true)
    }
    steps.append(.detach(path: whole))
    steps.append(.makeDirectory(path: "/sys/fs", mode: 0o755))
    steps.append(.makeDirectory(path: "/sys/fs/cgroup", mode: 0o755))
    if facts.hasSELinux { attachHost("selinux", "/sys/fs/selinux", at: "/sys/fs/selinux") }
    steps.append(.change(path: "/sys", set: .readOnly, recursive: false))
  }

  /// Mounts the file systems that show the namespaces of the process that mounts them.
  mutating func mountOwn() {
    steps.append(.mount(type: "cgroup2", target: "/sys/fs/cgroup", flags: .inert, data: "", optional: false))
    // Optional: a kernel may be built without POSIX message queues.
    steps.append(.mount(type: "mqueue", target: "/dev/mqueue", flags: .inert, data: "", optional: true))
  }

  /// The device nodes of the Container Interface, all with mode 0666.
  static let devices: [(path: String, major: UInt32, minor: UInt32)] = [
    ("/dev/null", 1, 3), ("/dev/zero", 1, 5), ("/dev/full", 1, 7), ("/dev/random", 1, 8), ("/dev/urandom", 1, 9),
    ("/dev/tty", 5, 0),
  ]

  private static let deviceLinks = [
    ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"), ("core", "/proc/kcore"), ("ptmx", "pts/ptmx"),
    // The daemon has made the console, the first terminal of the new devpts, which has the number 0.
    ("console", "pts/0"),
  ]

  mutating func mountDev() {
    mountTemporary("/dev", "mode=0755,size=4m,nr_inodes=64k", [.noSetUID, .strictAccessTime])
    for device in Self.devices {
      if facts.mayMakeNodes {
        steps.append(
          .makeNode(.character(major: device.major, minor: device.minor), path: device.path, mode: 0o666))
      } else {
        attachHost(device.path, device.path, at: device.path)
      }
    }
    for (name, target) in Self.deviceLinks { steps.append(.makeLink(path: "/dev/" + name, target: target)) }
    steps.append(.makeDirectory(path: "/dev/pts", mode: 0o755))
    steps.append(.attachTerminals(target: "/dev/pts"))
    steps.append(.makeDirectory(path: "/dev/shm", mode: 0o1777))
    mountTemporary("/dev/shm", "mode=01777,size=10%,nr_inodes=400k")
    steps.append(.makeDirectory(path: "/dev/mqueue", mode: 0o755))
  }
}
