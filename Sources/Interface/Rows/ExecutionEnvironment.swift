/// The rows of the section "Execution Environment".
let executionEnvironmentRows = [
  Row("EE-1a", .may, "the guest has its own host name before systemd starts") {
    .holds(
      if: $0.process.ownNamespaces.contains("uts") && !$0.process.hostname.isEmpty,
      else: "the host name is that of the host")
  },
  Row("EE-1b", .informative, "/etc/hostname in the guest takes precedence") { seen in
    guard let name = seen.line("/etc/hostname"), !name.isEmpty else {
      return .notApplicable("the guest has no /etc/hostname")
    }
    return seen.ofSystemd(.holds(if: seen.process.hostname == name, else: "the host name is \(seen.process.hostname)"))
  },
  Row("EE-2a", .must, "/proc is mounted, and the guest has its own PID namespace") { seen in
    seen.mounted("/proc", ["proc"])
      .and(.holds(if: seen.process.ownNamespaces.contains("pid"), else: "the PID namespace is that of the host"))
  },
  Row("EE-2b", .must, "/sys is mounted read-only") { seen in
    seen.mounted("/sys", ["sysfs", "tmpfs"], readOnly: true)
      .and(.holds(if: seen.file("/sys")?.isReadOnly == true, else: "/sys is writable"))
  },
  Row("EE-2c", .must, "/sys/fs/selinux is mounted read-only where the host has it") { seen in
    seen.host.hasSELinux
      ? seen.mounted("/sys/fs/selinux", ["selinuxfs"], readOnly: true)
      : .notApplicable("the host has no SELinux")
  },
  Row("EE-2d", .must, "/proc/sys is read-only") { seen in
    seen.mounted("/proc/sys", ["proc"], readOnly: true)
  },
  Row("EE-2e", .may, "/proc/sys/net is writable only if the guest has its own network") { seen in
    guard seen.hasOwnNetwork else {
      let net = seen.mount("/proc/sys/net")
      return net?.isReadOnly == false
        ? .missed("the host's /proc/sys/net is writable") : .notApplicable("the guest uses the host's network")
    }
    return seen.mounted("/proc/sys/net", ["proc"], readOnly: false)
  },
  Row("EE-2f", .may, "/proc/sys is writable as a whole only in a user namespace") { seen in
    guard let mount = seen.mount("/proc/sys"), !mount.isReadOnly else {
      return .notApplicable("/proc/sys is read-only, which is always allowed")
    }
    return .holds(if: seen.hasOwnUsers, else: "/proc/sys is writable, and root in the guest is root on the host")
  },
  Row("EE-2g", .may, "/sys/firmware and similar directories are hidden") {
    .holds(if: $0.file("/sys/firmware") == nil, else: "/sys/firmware is visible, read-only")
  },
  Row("EE-2h", .may, "every user may ping in a user namespace with a network of its own") { seen in
    guard seen.hasOwnNetwork, seen.hasOwnUsers else {
      return .notApplicable("the guest has the host's network or the host's users")
    }
    // The file shows the value of the reader's own network namespace.
    return .unknown("a test pings")
  },
  Row("EE-3a", .must, "/dev is a tmpfs of the guest") { $0.mounted("/dev", ["tmpfs"]) },
  Row("EE-3b", .must, "/dev/console is a terminal") { seen in
    guard let console = seen.file("/dev/console"), console.kind == .character else {
      return .missed("there is no such device")
    }
    return .holds(if: (136...143).contains(console.major), else: "it is \(console.major):\(console.minor)")
  },
  Row("EE-3c", .must, "the master side of the console is open while the guest runs") {
    .holds(if: $0.consoleIsHeld, else: "writing to /dev/console fails")
  },
  Row("EE-3d", .must, "/dev has null, zero, full, random, urandom, tty and ptmx") { seen in
    let wrong = Observation.devices.filter { device in
      guard let file = seen.file("/dev/" + device.name), file.kind == .character else { return true }
      return file.major != device.major || file.minor != device.minor
    }
    return .holds(if: wrong.isEmpty, else: "wrong or missing: " + wrong.map(\.name).joined(separator: " "))
  },
  Row("EE-3e", .informative, "systemd creates /dev/fd and /dev/std* itself") {
    .holds(if: $0.file("/dev/fd")?.link != nil, else: "/dev/fd is not a symbolic link")
  },
  Row("EE-3f", .must, "a device program denies the guest all other devices") { seen in
    guard let programs = seen.cgroups.devicePrograms else {
      return .unknown("the kernel does not list the programs of a cgroup")
    }
    return .holds(if: programs > 0, else: "no program is attached to the guest's cgroup")
  },
  Row("EE-3g", .should, "the guest has CAP_MKNOD") { $0.has(capability: 27, "CAP_MKNOD") },
  Row("EE-4a", .must, "systemd-udevd does not run") { seen in
    seen.ofSystemd(.holds(if: !seen.cgroups.below.contains("systemd-udevd.service"), else: "systemd-udevd runs"))
  },
  Row("EE-5a", .must, "no getty runs on a virtual terminal") { seen in
    let gettys = seen.cgroups.below.filter { $0.hasPrefix("getty@") || $0.hasPrefix("autovt@") }
    return seen.ofSystemd(.holds(if: gettys.isEmpty, else: "running: " + gettys.sorted().joined(separator: " ")))
  },
  Row("EE-6a", .must, "the whole cgroup file system is mounted, and the guest finds its own cgroup in it") { seen in
    guard let mount = seen.mount("/sys/fs/cgroup") else {
      return .missed("nothing is mounted on /sys/fs/cgroup")
    }
    if mount.type != "cgroup2" { return .missed("/sys/fs/cgroup is \(mount.type)") }
    let isOwn = seen.process.ownNamespaces.contains("cgroup") && seen.cgroups.guest.hasPrefix(mount.root)
    return .holds(
      if: isOwn || mount.root == "/", else: "\(mount.root) is mounted, but the guest is in \(seen.cgroups.guest)")
  },
  Row("EE-6b", .must, "the guest can write to its own cgroup and none above") { seen in
    guard let procs = seen.file("/sys/fs/cgroup/cgroup.procs") else { return .missed("there is no cgroup.procs") }
    if procs.isReadOnly { return .missed("cgroup.procs is read-only") }
    if let root = seen.guestRoot, UInt64(procs.owner) != root {
      return .missed("cgroup.procs belongs to user \(procs.owner), but the guest's root is user \(root)")
    }
    return .holds(if: seen.process.ownNamespaces.contains("cgroup"), else: "the cgroup namespace is that of the host")
  },
  Row("EE-6c", .must, "systemd 258 or later finds cgroup 2, the only one it knows, on a hybrid host too") { seen in
    seen.ofSystemd(from: 258, seen.mounted("/sys/fs/cgroup", ["cgroup2"]))
  },
  Row("EE-7a", .must, "the guest's cgroup is in a unit with Delegate=yes") { seen in
    switch seen.cgroups.isDelegated {
    case true?: .holds
    case false?: .missed("systemd did not delegate \(seen.cgroups.unit)")
    case nil: .notApplicable("systemd did not create the cgroup of the unit")
    }
  },
  Row("EE-7b", .must, "the manager uses only the delegated cgroup") { $0.isInItsPlace },
  Row("EE-7c", .must, "the manager works inside a container") { _ in
    .unknown("make interface-report runs the daemon in a guest")
  },
  Row("EE-8a", .must, "every mount is shared when systemd starts") { seen in
    // Mounts below /run/host are exempt: those that arrive from the host must not propagate back.
    let others = seen.mounts.filter { $0.peerGroup == nil && !$0.target.isBelow("/run/host") }
    return .holds(if: others.isEmpty, else: others.map(\.target).joined(separator: " "))
  },
  Row("EE-8b", .must, "no mount is in a peer group with the host") { seen in
    let host = Set(seen.hostMounts.compactMap(\.peerGroup))
    let both = seen.mounts.filter { $0.peerGroup.map(host.contains) == true }
    return .holds(if: both.isEmpty, else: both.map(\.target).joined(separator: " "))
  },
]

extension String {
  /// Whether this path is `path` or below it.
  func isBelow(_ path: String) -> Bool { self == path || hasPrefix(path == "/" ? "/" : path + "/") }
}
