import GuestSpec

/// What is known only when a guest is about to start: the host it starts on, its root as it is now, and this start's own paths.
///
/// All paths are absolute, resolved, and paths of the host.
public struct StartFacts: Equatable, Sendable {
  /// The directory that `Directory=` names.
  public var root: String
  /// An existing directory for the root to be mounted on. Every guest mounts in a mount namespace of its own, so one serves all.
  public var staging: String
  /// 32 lower-case hexadecimal digits: the guest's id, which `container_uuid` announces.
  public var machineID: String
  /// What the root's /etc/machine-id holds, when it holds an id. systemd in the guest then takes no other.
  public var rootMachineID: String?
  /// The names of the listeners, in the order of their descriptors: the first is descriptor 3.
  public var listenerNames: [String] = []
  /// The socket that appears as /run/host/notify.
  public var notifySocket: String?
  /// Mounts of file systems that were made for this start.
  public var handed: [Preloaded] = []
  /// A directory: what is mounted in it later appears in the guest's /run/host/incoming.
  public var incoming: String?
  /// A FIFO that stands in the place of /proc/kmsg: whoever reads the kernel's messages in a guest waits for ever, and does not spin.
  public var kernelMessages: String?
  /// What there is for `Timezone=` and `ResolvConf=`.
  public var etc = HostEtc()
  /// Where the guest's journal is, by `LinkJournal=`.
  public var journal = Journal.guests
  /// A UUID, new for each start: what the guest takes for the host's boot.
  public var bootID: String?
  /// The file that appears as /run/host/os-release.
  public var hostOSReleaseFile: String?
  /// The fields of the host's os-release(5) that are told.
  public var hostOSRelease = HostOSRelease()
  /// The symbolic links to /usr at the top of the root (`bin` to `usr/bin`, …), which `Volatile=yes` makes again.
  public var topLevelLinks: [TopLevelLink] = []
  /// A directory for what goes with the run; the caller removes it after the guest. Needed if `Guest.needsScratch`.
  public var scratch: String?
  /// nil: the guest's users are the host's.
  public var users: GuestUsers?
  /// By what the owners of a bind's files are translated, by its place in the guest: of those with `rootidmap` and `owneridmap`.
  public var bindMaps: [String: IDMap] = [:]
  /// The users of `BindUser=`.
  public var boundUsers: [BoundUser] = []
  /// Whether mknod(2) makes device nodes here; if not, the host's nodes are bound.
  public var mayMakeNodes = true
  /// Whether the kernel lets the daemon restrict what devices a cgroup may use.
  public var mayRestrictDevices = false
  /// The device nodes among the sources of the guest's binds.
  public var boundDevices: [Device] = []
  /// Whether the host has selinuxfs mounted.
  public var hasSELinux = false
  /// Those of the host's own PID 1.
  public var limits = HostLimits()
  /// The user of `User=`, as the guest's root knows it; nil when it does not.
  public var account: Account?
  /// Whether the kernel has seccomp(2).
  public var mayFilterSystemCalls = true
  /// The host's own.
  public var architecture = Personality.amd64
  /// The controllers of cgroup 2 that the guest's cgroup has.
  public var controllers: [String] = []
  /// What percentages are of.
  public var machine = MachineSize()

  /// Each map that a mount is translated by once, in an order that is always the same.
  var mappings: [IDMap] {
    let all = bindMaps.sorted { $0.key < $1.key }.map(\.value) + boundUsers.map { $0.map(in: users?.map) }
    return all.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  public init(root: String, staging: String, machineID: String) {
    self.root = root
    self.staging = staging
    self.machineID = machineID
  }
}

/// Where a guest's journal is.
public enum Journal: Equatable, Sendable {
  /// In its own /var/log/journal or nowhere: it decides.
  case guests
  /// There, and the host has a symbolic link to it.
  case linked
  /// In this directory of the host.
  case hosts(directory: String)
}

/// The fields of the host's os-release(5) that PID 1 of the guest is told of.
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

/// A symbolic link at the top of a root.
public struct TopLevelLink: Equatable, Sendable {
  /// In the root, without a slash.
  public var name: String
  /// What it holds.
  public var target: String

  public init(_ name: String, to target: String) {
    self.name = name
    self.target = target
  }
}

/// What a share of this machine is a share of.
public struct MachineSize: Equatable, Sendable {
  /// Bytes.
  public var memory: UInt64 = 0
  /// Bytes.
  public var page: UInt64 = 4096
  /// How many tasks there may be.
  public var tasks: UInt64 = 4096

  public init() {}
}

/// The limits of the host's own PID 1 that depend on the size of the machine; the defaults are those of a small one.
public struct HostLimits: Equatable, Sendable {
  /// `RLIMIT_NPROC`.
  public var processes: UInt64 = 4096
  /// `RLIMIT_SIGPENDING`.
  public var pendingSignals: UInt64 = 4096
  /// The hard `RLIMIT_NOFILE`: at most fs.nr_open.
  public var descriptors: UInt64 = 524_288

  public init() {}
}
