extension Row {
  /// "Execution Environment".
  static let executionEnvironment = [
    Row("EE-1a", .may, "a host name of its own is set before systemd starts") {
      .holds(if: $0.ownNamespaces.contains("uts") && !$0.hostname.isEmpty, else: "the host name is the host's")
    },
    Row("EE-1b", .told, "/etc/hostname in the guest wins") { seen in
      guard let name = seen.line("/etc/hostname"), !name.isEmpty else {
        return .notApplicable("the guest has no /etc/hostname")
      }
      return seen.ofSystemd(.holds(if: seen.hostname == name, else: "the host name is \(seen.hostname)"))
    },
    Row("EE-2a", .must, "/proc is mounted, in a PID namespace of its own") { seen in
      seen.mounted("/proc", ["proc"])
        .and(.holds(if: seen.ownNamespaces.contains("pid"), else: "the PID namespace is the host's"))
    },
    Row("EE-2b", .must, "/sys is mounted read-only") { seen in
      seen.mounted("/sys", ["sysfs", "tmpfs"], readOnly: true)
        .and(.holds(if: seen.file("/sys")?.isReadOnly == true, else: "/sys can be written to"))
    },
    Row("EE-2c", .must, "/sys/fs/selinux is mounted read-only where the host has it") { seen in
      seen.host.hasSELinux
        ? seen.mounted("/sys/fs/selinux", ["selinuxfs"], readOnly: true)
        : .notApplicable("the host has no SELinux")
    },
    Row("EE-2d", .must, "/proc/sys is read-only") { seen in
      seen.mounted("/proc/sys", ["proc"], readOnly: true)
    },
    Row("EE-2e", .may, "/proc/sys/net is writable in a network of its own, and only there") { seen in
      guard seen.hasOwnNetwork else {
        let net = seen.mount("/proc/sys/net")
        return net?.isReadOnly == false
          ? .missed("the host's is writable") : .notApplicable("the network is the host's")
      }
      return seen.mounted("/proc/sys/net", ["proc"], readOnly: false)
    },
    Row("EE-2f", .may, "all of /proc/sys is writable only where root is nobody on the host") { seen in
      guard let mount = seen.mount("/proc/sys"), !mount.isReadOnly else {
        return .notApplicable("/proc/sys stays read-only, which is always right")
      }
      return .holds(if: seen.hasOwnUsers, else: "the guest's root is the host's, and /proc/sys is writable")
    },
    Row("EE-2g", .may, "/sys/firmware and the like are hidden") {
      .holds(if: $0.file("/sys/firmware") == nil, else: "they can be seen, read-only")
    },
    Row("EE-3a", .must, "/dev is a tmpfs of its own") { $0.mounted("/dev", ["tmpfs"]) },
    Row("EE-3b", .must, "/dev/console is a terminal") { seen in
      guard let console = seen.file("/dev/console"), console.kind == .character else {
        return .missed("there is no such device")
      }
      return .holds(if: (136...143).contains(console.major), else: "it is \(console.major):\(console.minor)")
    },
    Row("EE-3c", .must, "the console's master is held as long as the guest runs") {
      .holds(if: $0.consoleIsHeld, else: "writing to /dev/console is an error")
    },
    Row("EE-3d", .must, "null, zero, full, random, urandom, tty and ptmx are there") { seen in
      let wrong = Observation.devices.filter { device in
        guard let file = seen.file("/dev/" + device.name), file.kind == .character else { return true }
        return file.major != device.major || file.minor != device.minor
      }
      return .holds(if: wrong.isEmpty, else: "wrong or missing: " + wrong.map(\.name).joined(separator: " "))
    },
    Row("EE-3e", .told, "systemd makes /dev/fd and /dev/std* itself") {
      .holds(if: $0.file("/dev/fd")?.link != nil, else: "/dev/fd is no link")
    },
    Row("EE-3f", .must, "a device program keeps the guest from all other devices") { seen in
      guard let programs = seen.devicePrograms else {
        return .unknown("the kernel does not tell the programs of a cgroup")
      }
      return .holds(if: programs > 0, else: "no program is attached to its cgroup")
    },
    Row("EE-3g", .should, "CAP_MKNOD is kept") { $0.has(capability: 27, "CAP_MKNOD") },
    Row("EE-4a", .must, "udevd does not run") { seen in
      seen.ofSystemd(.holds(if: !seen.groupsBelow.contains("systemd-udevd.service"), else: "it runs"))
    },
    Row("EE-5a", .must, "no getty on a virtual terminal") { seen in
      let gettys = seen.groupsBelow.filter { $0.hasPrefix("getty@") || $0.hasPrefix("autovt@") }
      return seen.ofSystemd(.holds(if: gettys.isEmpty, else: gettys.sorted().joined(separator: " ") + " runs"))
    },
    Row("EE-6a", .must, "the cgroup file system is mounted whole, and its own place is found in it") { seen in
      guard let mount = seen.mount("/sys/fs/cgroup") else {
        return .missed("nothing is mounted on /sys/fs/cgroup")
      }
      if mount.type != "cgroup2" { return .missed("/sys/fs/cgroup is \(mount.type)") }
      let isOwn = seen.ownNamespaces.contains("cgroup") && seen.cgroup.hasPrefix(mount.root)
      return .holds(if: isOwn || mount.root == "/", else: "\(mount.root) is mounted, and it lives in \(seen.cgroup)")
    },
    Row("EE-6b", .must, "its own cgroup is writable to it, nothing above") { seen in
      guard let procs = seen.file("/sys/fs/cgroup/cgroup.procs") else { return .missed("there is no cgroup.procs") }
      if procs.isReadOnly { return .missed("it is read-only") }
      if let root = seen.guestRoot, UInt64(procs.owner) != root {
        return .missed("cgroup.procs belongs to user \(procs.owner), the guest's root is \(root)")
      }
      return .holds(if: seen.ownNamespaces.contains("cgroup"), else: "the cgroup namespace is the host's")
    },
    Row("EE-7a", .must, "the cgroup is a unit's with Delegate=yes") { seen in
      switch seen.isDelegated {
      case true?: .holds
      case false?: .missed("systemd did not delegate \(seen.daemonCgroup)")
      case nil: .notApplicable("no systemd gave the daemon its cgroup")
      }
    },
    Row("EE-7b", .must, "only the cgroup that was given is used") { $0.isInItsPlace },
    Row("EE-7c", .must, "it works stacked: in a container itself") { _ in
      .unknown("make interface-report runs the daemon in a guest")
    },
    Row("EE-8a", .must, "every mount is shared when systemd starts") { seen in
      // Deliberate: what comes in from the host may not go back, and what is the host's own stays so.
      let others = seen.mounts.filter { $0.peerGroup == nil && !$0.target.isBelow("/run/host") }
      return .holds(if: others.isEmpty, else: others.map(\.target).joined(separator: " "))
    },
    Row("EE-8b", .must, "no mount is shared with the host") { seen in
      let host = Set(seen.hostMounts.compactMap(\.peerGroup))
      let both = seen.mounts.filter { $0.peerGroup.map(host.contains) == true }
      return .holds(if: both.isEmpty, else: both.map(\.target).joined(separator: " "))
    },
  ]
}

extension String {
  /// Whether it is this path or one below it.
  func isBelow(_ path: String) -> Bool { self == path || hasPrefix(path == "/" ? "/" : path + "/") }
}
