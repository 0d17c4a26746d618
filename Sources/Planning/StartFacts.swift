import GuestSpec

/// The facts that are known only when a guest is about to start: the host, the guest's root as it is now, and the paths of this start.
///
/// All paths are absolute, resolved, and paths of the host.
public struct StartFacts: Equatable, Sendable {
  /// The guest's root, which `Directory=` names.
  public var root: String
  /// An existing directory that the root is mounted on. Every guest has a mount namespace of its own, so all share one directory.
  public var staging: String
  /// The IDs by which the guest and this start are known.
  public var identity: Identity
  /// The program that is PID 1 with `Boot=yes`.
  public var initSystem = InitSystem.systemd
  /// The names of the listeners, in the order of their descriptors: the first is descriptor 3.
  public var listenerNames: [String] = []
  /// What the daemon made on the host for this start.
  public var hostSide = HostSide()
  /// The host: its files, its sizes, and what its kernel allows.
  public var host = Host()
  /// The host's and the guest's files for `Timezone=` and `ResolvConf=`.
  public var etc = HostEtc()
  /// What the files in the guest's root say.
  public var rootFiles = RootFiles()
  /// The users of the guest's user namespace; nil: the guest's users are the host's.
  public var users: GuestUsers?
  /// The ID maps of bind mounts with `rootidmap` or `owneridmap`, by their target in the guest.
  public var bindMaps: [String: IDMap] = [:]
  /// The users of `BindUser=`.
  public var boundUsers: [BoundUser] = []
  /// The device nodes among the sources of the guest's binds.
  public var boundDevices: [Device] = []
  /// The user of `User=`, from the guest's root; nil when the root has no such user.
  public var account: Account?
  /// The controllers that the guest's cgroup has.
  public var controllers: [String] = []

  /// The ID maps of all mounts, each once, in a stable order.
  var mappings: [IDMap] {
    let all = bindMaps.sorted { $0.key < $1.key }.map(\.value) + boundUsers.map { $0.map(in: users?.map) }
    return all.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  public init(root: String, staging: String, machineID: String) {
    self.root = root
    self.staging = staging
    identity = Identity(machineID: machineID, hostID: machineID)
  }

  /// The IDs by which the guest and this start are known.
  public struct Identity: Equatable, Sendable {
    /// The guest's machine ID, 32 lower-case hexadecimal digits. `container_uuid` passes it to PID 1.
    public var machineID: String
    /// The machine ID that the guest cannot change: `MachineID=`, or one that is derived from the guest's name.
    public var hostID: String
    /// The ID in the root's /etc/machine-id, if the file has one. systemd in the guest then ignores `container_uuid`.
    public var rootMachineID: String?
    /// A UUID, new for each start, that the guest reads as its boot ID.
    public var bootID: String?
  }

  /// What the files in the guest's root say.
  public struct RootFiles: Equatable, Sendable {
    /// The symbolic links to /usr at the top (`bin` to `usr/bin`, …), which `Volatile=yes` recreates. Missing ones that the root should have
    /// are among them.
    public var topLevelLinks: [TopLevelLink] = []
    /// The directories and links that a root with a /usr should have at its top and lacks.
    public var missing = MissingTop()
    /// The version of systemd; nil when there is none, or when its files do not say.
    public var systemd: Int?
  }

  /// The directories and links that the top of a root lacks. A root with nothing but /usr is complete with them, as systemd's
  /// base_filesystem_create() makes it.
  public struct MissingTop: Equatable, Sendable {
    /// The names of directories, without a slash.
    public var directories: [String] = []
    /// The symbolic links into /usr.
    public var links: [TopLevelLink] = []

    public init() {}
  }

  /// What the daemon made on the host for this start.
  public struct HostSide: Equatable, Sendable {
    /// The socket that the guest has as /run/host/notify.
    public var notifySocket: String?
    /// The mounts that were made, which the plan attaches.
    public var mounts: [Preloaded] = []
    /// A directory whose later mounts propagate to the guest's /run/host/incoming.
    public var incoming: String?
    /// A FIFO that covers /proc/kmsg. A reader of kernel messages in the guest blocks on it, where an empty file would make it spin.
    public var kernelMessages: String?
    /// Where the guest's journal is, by `LinkJournal=`.
    public var journal = Journal.guests
    /// A directory for data that is discarded with the instance; the caller removes it. Needed if `Guest.needsScratch`.
    public var scratch: String?
  }

  /// The host: its files, its sizes, and what its kernel allows.
  public struct Host: Equatable, Sendable {
    /// The file that the guest has as /run/host/os-release.
    public var osReleaseFile: String?
    /// The fields of the host's os-release(5) that PID 1 gets in its environment.
    public var osRelease = HostOSRelease()
    /// The resource limits of the host's PID 1.
    public var limits = HostLimits()
    /// The architecture.
    public var architecture = Personality.amd64
    /// Whether the processor runs the programs of the kernel's 32-bit architecture.
    public var runs32Bit = true
    /// The size of the machine, which percentages in settings refer to.
    public var machine = MachineSize()
    /// Whether the host has selinuxfs mounted.
    public var hasSELinux = false
    /// Whether mknod(2) makes device nodes here. If not, the host's nodes are bound.
    public var mayMakeNodes = true
    /// Whether the daemon can restrict the devices of a cgroup, by a BPF program.
    public var mayRestrictDevices = false
    /// The daemon's bounding set, which limits a guest without a user namespace. In a user namespace root has all capabilities.
    public var capabilities = Capabilities.all
    /// Whether the kernel has seccomp(2).
    public var mayFilterSystemCalls = true
  }
}

/// Where a guest's journal is.
public enum Journal: Equatable, Sendable {
  /// In its own /var/log/journal, or nowhere: the guest decides.
  case guests
  /// In its own /var/log/journal, and the host has a symbolic link to it.
  case linked
  /// In this directory of the host.
  case hosts(directory: String)
}

/// The fields of the host's os-release(5) that PID 1 of the guest gets in its environment.
public struct HostOSRelease: Equatable, Sendable {
  /// `ID=`.
  public var id: String?
  /// `BUILD_ID=`.
  public var buildID: String?
  /// `VARIANT_ID=`.
  public var variantID: String?
  /// `VERSION_ID=`.
  public var versionID: String?

  public init() {}
}

/// A symbolic link at the top of a guest's root.
public struct TopLevelLink: Equatable, Sendable {
  /// Its name, without a slash.
  public var name: String
  /// Its target.
  public var target: String

  public init(_ name: String, to target: String) {
    self.name = name
    self.target = target
  }
}

/// The amounts that percentages in settings refer to.
public struct MachineSize: Equatable, Sendable {
  /// The memory, in bytes.
  public var memory: UInt64 = 0
  /// The size of a page, in bytes.
  public var page: UInt64 = 4096
  /// The most tasks that the kernel allows.
  public var tasks: UInt64 = 4096

  public init() {}
}

/// The resource limits of the host's PID 1 that depend on the size of the machine. The defaults are those of a small machine.
public struct HostLimits: Equatable, Sendable {
  /// `RLIMIT_NPROC`.
  public var processes: UInt64 = 4096
  /// `RLIMIT_SIGPENDING`.
  public var pendingSignals: UInt64 = 4096
  /// The hard `RLIMIT_NOFILE`, at most the sysctl fs.nr_open.
  public var descriptors: UInt64 = 524_288

  public init() {}
}
