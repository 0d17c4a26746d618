/// Questions about an observation that several rows ask.
extension Observation {
  static let devices: [(name: String, major: UInt32, minor: UInt32)] = [
    ("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0), ("ptmx", 5, 2),
  ]
  static let inaccessible = ["reg", "dir", "fifo", "sock", "chr", "blk"]

  /// The paths in the guest's root that an observation covers.
  public static let paths: [String] =
    [
      "/dev", "/dev/console", "/dev/fd", "/dev/kmsg", "/dev/pts", "/etc/hostname", "/etc/localtime", "/etc/machine-id",
      "/proc/sys", "/run/host", "/run/host/container-manager", "/run/host/container-uuid", "/run/host/credentials",
      "/run/host/home", "/run/host/incoming", "/run/host/notify", "/run/host/os-release", "/run/host/root",
      "/run/host/unix-export", "/run/host/unix-export/ssh", "/run/host/userdb", "/run/systemd/container",
      "/run/systemd/inaccessible", "/sys", "/sys/class/net/host0", "/sys/class/net/host0/address", "/sys/firmware",
      "/sys/fs/cgroup", "/sys/fs/cgroup/cgroup.procs", "/usr/share/zoneinfo",
    ] + devices.map { "/dev/" + $0.name } + inaccessible.map { "/run/host/inaccessible/" + $0 }

  /// The terminals that $container_ttys names, relative to /dev.
  public var terminals: [String] { process.environment["container_ttys"]?.split(separator: " ").map(String.init) ?? [] }

  /// The file at a path.
  ///
  /// - Precondition: `path` is one of `paths`; an observation does not cover others.
  func file(_ path: String) -> File? {
    // Trap: a row asks for a path that `paths` lacks; the tests judge every row, and no guest can choose the path.
    precondition(Self.paths.contains(path), "a row asks for \(path), which is not observed")
    return files[path]
  }

  /// The mount at a mount point; of several the uppermost, which is the last.
  func mount(_ target: String) -> Mount? { mounts.last { $0.target == target } }

  func mounted(_ target: String, _ types: [String], readOnly: Bool? = nil) -> Verdict {
    guard let mount = mount(target) else { return .missed("nothing is mounted on \(target)") }
    guard types.isEmpty || types.contains(mount.type) else { return .missed("\(target) is \(mount.type)") }
    guard let readOnly, mount.isReadOnly != readOnly else { return .holds }
    return .missed("\(target) is \(readOnly ? "writable" : "read-only")")
  }

  /// Whether process 1 is systemd, which creates these files.
  var isSystemd: Bool { file("/run/systemd/container") != nil || file("/run/systemd/inaccessible") != nil }

  /// `verdict` for a guest whose systemd has at least this version, and `notApplicable` for any other.
  func ofSystemd(from version: Int, _ verdict: @autoclosure () -> Verdict) -> Verdict {
    guard isSystemd, let systemd, systemd >= version else {
      return .notApplicable("process 1 is no systemd \(version) or later")
    }
    return verdict()
  }

  func ofSystemd(_ verdict: @autoclosure () -> Verdict) -> Verdict {
    isSystemd ? verdict() : .notApplicable("process 1 is not systemd")
  }

  var hasOwnNetwork: Bool { process.ownNamespaces.contains("net") }
  var hasVirtualEthernet: Bool { hasOwnNetwork && interfaces.contains("host0") }

  func ofVirtualEthernet(_ verdict: @autoclosure () -> Verdict) -> Verdict {
    hasVirtualEthernet ? verdict() : .notApplicable("the guest has no VirtualEthernet=")
  }

  /// The user ID of the guest's root on the host.
  var guestRoot: UInt64? { process.userMap.first { $0.inside == 0 }?.outside }
  var hasOwnUsers: Bool { process.ownNamespaces.contains("user") && guestRoot != 0 }

  /// A hexadecimal mask of /proc/PID/status.
  func mask(_ field: String) -> UInt64 { UInt64(process.status[field] ?? "", radix: 16) ?? 0 }

  func has(capability number: UInt64, _ name: String) -> Verdict {
    .holds(if: mask("CapBnd") & 1 << number != 0, else: "\(name) is not in the bounding set")
  }

  /// The first line of a file.
  func line(_ path: String) -> String? { file(path)?.text.map { String($0.prefix { $0 != "\n" }) } }

  /// A field of the host's os-release(5) without its quotes.
  func hostField(_ name: String) -> String? {
    let line = host.osRelease.split(separator: "\n").first { $0.hasPrefix(name + "=") }
    return line.map { String($0.dropFirst(name.utf8.count + 1).filter { $0 != "\"" && $0 != "'" }) }
  }

  var isInItsPlace: Verdict {
    .holds(
      if: !cgroups.guest.isEmpty && cgroups.guest.isBelow(cgroups.unit),
      else: "the guest is in \(cgroups.guest), not below \(cgroups.unit)")
  }

  func registered(_ verdict: (_ machine: [String: String]) -> Verdict) -> Verdict {
    guard let machines = host.machines else { return .notApplicable("systemd-machined does not run here") }
    guard let machine = machines[name] else { return .missed("machined does not know the guest") }
    return verdict(machine)
  }
}

extension String {
  var withoutDashes: String { filter { $0 != "-" } }
}
