/// The rows of the section "What You Shouldn't Do".
let shouldNotRows = [
  Row("DN-1", .mustNot, "CAP_MKNOD is not dropped") { $0.has(capability: 27, "CAP_MKNOD") },
  Row("DN-2", .mustNot, "CAP_SYS_ADMIN is not dropped") { $0.has(capability: 21, "CAP_SYS_ADMIN") },
  Row("DN-3", .mustNot, "/dev/kmsg is not /dev/console") { seen in
    guard let log = seen.file("/dev/kmsg") else { return .holds }
    let console = seen.file("/dev/console")
    return .holds(
      if: (log.major, log.minor) != (console?.major ?? 0, console?.minor ?? 0), else: "both are the same device")
  },
  Row("DN-4", .mustNot, "the guest has no virtual terminals") { seen in
    let found = (seen.file("/dev")?.names ?? []).filter { name in
      name.hasPrefix("vcs") || name.hasPrefix("tty") && name.dropFirst(3).first?.isNumber == true
    }
    return .holds(if: found.isEmpty, else: found.sorted().joined(separator: " "))
  },
  Row("DN-5", .mustNot, "the guest has no other devices, such as disks") { seen in
    let own: Set = [
      "null", "zero", "full", "random", "urandom", "tty", "ptmx", "console", "pts", "shm", "mqueue", "fd", "stdin",
      "stdout", "stderr", "core", "net", "fuse", "log", "initctl", "hugepages", "char", "block", "kmsg",
    ]
    let others = (seen.file("/dev")?.names ?? []).subtracting(own)
    return .holds(if: others.isEmpty, else: others.sorted().joined(separator: " "))
  },
  Row("DN-6", .mustNot, "the cgroup tree is not mounted in part") { seen in
    guard let mount = seen.mount("/sys/fs/cgroup") else { return .holds }
    return .holds(
      if: mount.root == "/" || seen.process.ownNamespaces.contains("cgroup"), else: "only \(mount.root) is mounted")
  },
  Row("DN-7", .mustNot, "/sys is not writable") {
    .holds(if: $0.file("/sys")?.isReadOnly == true, else: "/sys is writable")
  },
  Row("DN-8", .mustNot, "the guest lacks CAP_AUDIT_CONTROL, CAP_AUDIT_READ and CAP_AUDIT_WRITE") { seen in
    let given = [(30, "CONTROL"), (37, "READ"), (29, "WRITE")].filter { seen.mask("CapBnd") & 1 << UInt64($0.0) != 0 }
    return .holds(if: given.isEmpty, else: given.map { "CAP_AUDIT_" + $0.1 }.joined(separator: " "))
  },
]

/// The rows of the sections "Fully Unprivileged Container Payload" and "Final Words".
let finalRows = [
  Row("FU-1", .should, "the guest's users are not users of the host") { seen in
    seen.hasOwnUsers ? .holds : .notApplicable("the guest has PrivateUsers=no or identity")
  },
  Row("FU-2", .should, "a guest without CAP_SYS_ADMIN and CAP_MKNOD starts") { _ in
    .unknown("make interface-report starts one")
  },
  Row("FW-1", .must, "systemd detects the container from $container") { seen in
    let reported = seen.line("/run/systemd/container")
    return seen.ofSystemd(
      .holds(
        if: reported == seen.process.environment["container"],
        else: "/run/systemd/container is \(reported ?? "missing")"))
  },
  Row("FW-2", .must, "the same image starts on hardware, in a virtual machine and in a container") { seen in
    seen.ofSystemd(.holds(if: seen.daemon.isReady, else: "READY=1 was not received"))
  },
]
