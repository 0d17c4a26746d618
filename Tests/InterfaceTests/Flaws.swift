@testable import Interface

extension RowTests {
  typealias Flaw = (String, @Sendable (inout Observation) -> Void)

  private static func without(_ id: String, _ path: String) -> Flaw { (id, { $0.files[path] = nil }) }

  private static func writable(_ id: String, _ target: String) -> Flaw {
    (
      id,
      { seen in
        for index in seen.mounts.indices where seen.mounts[index].target == target {
          seen.mounts[index].options = ["rw"]
        }
      }
    )
  }

  private static func unmounted(_ id: String, _ target: String) -> Flaw {
    (id, { $0.mounts.removeAll { $0.target == target } })
  }

  /// Changes to a good observation, each with the row that it must make a miss.
  static let flaws: [Flaw] = execution + variables + others + bounds

  private static let execution: [Flaw] = [
    ("EE-1a", { $0.process.ownNamespaces.remove("uts") }), ("EE-1b", { $0.process.hostname = "host" }),
    ("EE-2a", { $0.process.ownNamespaces.remove("pid") }), writable("EE-2b", "/sys"),
    unmounted("EE-2c", "/sys/fs/selinux"),
    writable("EE-2d", "/proc/sys"), unmounted("EE-2e", "/proc/sys/net"),
    (
      "EE-2f",
      { seen in
        seen.process.userMap = []
        seen.process.ownNamespaces.remove("user")
        for index in seen.mounts.indices { seen.mounts[index].options = ["rw"] }
      }
    ),
    ("EE-2g", { $0.files["/sys/firmware"] = Observation.directory() }), unmounted("EE-3a", "/dev"),
    ("EE-3b", { $0.files["/dev/console"] = Observation.node(5, 1) }), ("EE-3c", { $0.consoleIsHeld = false }),
    ("EE-3d", { $0.files["/dev/null"] = Observation.node(1, 5) }), without("EE-3e", "/dev/fd"),
    ("EE-3f", { $0.cgroups.devicePrograms = 0 }), ("EE-3g", { $0.process.status["CapBnd"] = "0" }),
    ("EE-4a", { $0.cgroups.below.insert("systemd-udevd.service") }),
    ("EE-5a", { $0.cgroups.below.insert("getty@tty1.service") }), unmounted("EE-6a", "/sys/fs/cgroup"),
    unmounted("EE-6c", "/sys/fs/cgroup"),
    ("EE-6b", { $0.files["/sys/fs/cgroup/cgroup.procs"]?.owner = 0 }), ("EE-7a", { $0.cgroups.isDelegated = false }),
    ("EE-7b", { $0.cgroups.guest = "/web.guest" }), ("EE-8a", { $0.mounts[1].propagation = [] }),
    ("EE-8b", { $0.mounts[1].propagation = ["shared:1"] }),
  ]

  private static let variables: [Flaw] = [
    ("EV-1a", { $0.process.environment["container"] = nil }),
    ("EV-2a", { $0.process.environment["container_uuid"] = "0-1" }),
    ("EV-2b", { $0.daemon.otherUUIDs = ["01234567-89ab-cdef-0123-456789abcdef"] }),
    ("EV-3a", { $0.process.environment["container_ttys"] = "pts/9" }), ("EV-3a", { $0.heldTerminals = ["pts/1"] }),
    ("EV-4a", { $0.process.environment["container_host_id"] = "x" }),
    writable("EV-5a", "/run/host/credentials"), ("EV-6", { $0.process.environment["LISTEN_PID"] = nil }),
    ("EV-7", { $0.process.arguments = ["systemd.firstboot=off"] }),
  ]

  private static let others: [Flaw] = [
    without("AI-1a", "/etc/localtime"), ("AI-3a", { $0.daemon.lastStopWasKill = true }),
    ("AI-3b", { $0.process.status["SigBlk"] = "0" }), ("AI-4a", { $0.daemon.adopted = 0 }),
    ("AI-4a", { $0.process.environment["LISTEN_PID"] = "7" }),
    ("AI-4x", { $0.process.environment["LISTEN_PIDFDID"] = "7" }),
    ("AI-4x", { $0.process.environment["LISTEN_FDNAMES"] = "a:sub-fdstore-1" }),
    ("AI-6x", { $0.process.environment["FDSTORE"] = "64" }),
    ("AI-5a", { $0.cgroups.guest = "/" }), ("AI-6a", { $0.daemon.isReady = false }),
    without("NW-1a", "/sys/class/net/host0"), ("NW-2a", { $0.host.interfaces = ["lo"] }),
    ("NW-3a", { $0.files["/sys/class/net/host0/address"] = Observation.text("01:00:00:00:00:00\n") }),
    ("RH-0", { $0.files["/run/host"] = Observation.directory() }), unmounted("RH-1", "/run/host/incoming"),
    ("RH-2", { $0.files["/run/host/inaccessible/dir"]?.mode = 0o755 }), without("RH-3", "/run/host/notify"),
    ("RH-4", { $0.files["/run/host/os-release"] = Observation.text("ID=arch\n") }),
    without("RH-5", "/run/host/container-manager"), without("RH-6", "/run/host/container-uuid"),
    ("RH-7", { $0.process.environment["CREDENTIALS_DIRECTORY"] = "/run/credentials" }),
    ("RH-8", { $0.host.exportsSockets = false }),
    ("RH-10", { $0.files["/run/host/userdb"] = Observation.directory("root.user") }),
    without("RH-11", "/run/host/home"),
    ("RH-12", { $0.files["/run/host/root"] = Observation.directory() }),
    ("WM-1", { $0.host.machines = [:] }), ("WM-2", { $0.host.machines?["web"]?["SCOPE"] = "" }),
    ("WM-3", { $0.host.machines?["web"]?["LEADER"] = "1" }), ("WM-4", { $0.name = ".web" }),
  ]

  private static let bounds: [Flaw] = [
    ("DN-1", { $0.process.status["CapBnd"] = "0000000000200000" }),
    ("DN-2", { $0.process.status["CapBnd"] = "000000000f000000" }),
    ("DN-3", { $0.files["/dev/kmsg"] = $0.files["/dev/console"] }),
    ("DN-4", { $0.files["/dev"]?.names.insert("tty1") }),
    ("DN-5", { $0.files["/dev"]?.names.insert("sda") }),
    (
      "DN-6",
      { seen in
        seen.process.ownNamespaces.remove("cgroup")
        for index in seen.mounts.indices { seen.mounts[index].root = "/web" }
      }
    ),
    ("DN-7", { $0.files["/sys"] = Observation.directory() }),
    ("DN-8", { $0.process.status["CapBnd"] = "000000002f200000" }),
    ("FW-1", { $0.files["/run/systemd/container"] = Observation.text("lxc\n") }),
    ("FW-2", { $0.daemon.isReady = false }),
  ]
}
