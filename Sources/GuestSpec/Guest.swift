/// A guest as its files describe it: the settings, with defaults where there are none. It contains nothing about this machine.
///
/// `[Exec]`, `[Files]` and `[Network]` are the sections of systemd.nspawn(5). `[Socket]` is that of systemd.socket(5); each
/// occurrence is an element of `sockets`. `[Guest]` is Dormouse's own.
public struct Guest: Equatable, Sendable {
  /// The name of the guest file without `.guest`: a machine name (the rules of hostnames, at most 64 characters).
  public var name: String
  /// `[Exec]`.
  public var exec = ExecSettings()
  /// `[Files]`.
  public var files = FilesSettings()
  /// `[Network]`.
  public var network = NetworkSettings()
  /// `[Socket]`: one element for each occurrence of the section.
  public var sockets: [SocketGroup] = []
  /// `[Guest]`.
  public var policy = GuestSettings()

  public init(name: String) { self.name = name }

  /// The directory on the host that is the guest's root.
  public var rootDirectory: String { policy.directory ?? "/var/lib/machines/\(name)" }
}

/// `[Exec]`: the program that runs in the guest, and its execution environment.
public struct ExecSettings: Equatable, Sendable {
  /// `Boot=`; nil means yes, or no with `ProcessTwo=yes`.
  var wantsBoot: Bool?
  /// `ProcessTwo=`: the command line runs as PID 2, below a small init of Dormouse as PID 1. It excludes `boot`.
  public var processTwo = false
  /// `Parameters=`.
  public var parameters: [String] = []
  /// `Environment=`, in the order of the files; of two with the same name the last wins.
  public var environment: [EnvironmentVariable] = []
  /// `Hostname=`; nil means the guest's name.
  public var hostname: String?
  /// `KillSignal=`; nil means the signal that stops the guest's init, and SIGTERM for a program that is no init.
  public var killSignal: Signal?
  /// `NotifyReady=`: the guest is ready when its PID 1 sends READY=1; nil means yes where PID 1 is an init that sends it.
  public var notifyReady: Bool?
  /// What is done with the root directory before the program runs.
  public var root = Root()
  /// The settings by which the guest fits into its host.
  public var integration = Integration()
  /// The properties of the guest's first process.
  public var process = Process()
  /// The capabilities of the guest.
  public var capabilities = CapabilitySettings()
  /// What the guest's processes may ask of the kernel.
  public var sandbox = Sandbox()
  /// `PrivateUsers=`; nil means `pick`, but then the default of `PrivateUsersOwnership=` is `map`.
  public var privateUsers: PrivateUsers?

  public init() {}

  /// Whether the guest runs its own init as PID 1, with `parameters` as arguments; systemd is preferred. Otherwise
  /// `parameters` is a command line that runs as PID 1 or PID 2.
  public var boot: Bool {
    get { wantsBoot ?? !processTwo }
    set { wantsBoot = newValue }
  }
  /// `KillSignal=`, or else the signal that stops the payload. With `boot` the payload is `initSystem`.
  public func effectiveKillSignal(_ initSystem: InitSystem) -> Signal {
    // With ProcessTwo= PID 1 is Dormouse's small init, which has systemd's signals.
    killSignal ?? (boot ? initSystem.stopSignal : processTwo ? InitSystem.systemd.stopSignal : .sigterm)
  }
  /// Whether the guest is ready only when its payload sends READY=1: `NotifyReady=`, or else whether its init sends that.
  public func waitsForReady(_ initSystem: InitSystem) -> Bool { notifyReady ?? (boot && initSystem.sendsReady) }
  /// Whether the guest gets its listeners with O_NONBLOCK: `NonBlocking=`, or else whether its init is systemd. systemd expects it; other
  /// programs expect blocking listeners, as `NonBlocking=no` of systemd.service(5) passes them.
  public func passesNonBlocking(_ initSystem: InitSystem) -> Bool {
    process.nonBlocking ?? (boot && initSystem == .systemd)
  }

  /// What is done with the root directory before the program runs.
  public struct Root: Equatable, Sendable {
    /// `Ephemeral=`: changes to the root are discarded when the instance ends.
    public var ephemeral = false
    /// `PivotRoot=`.
    public var pivot: PivotRoot?
  }

  /// The settings by which the guest fits into its host.
  public struct Integration: Equatable, Sendable {
    /// `Timezone=`.
    public var timezone = Timezone.auto
    /// `ResolvConf=`.
    public var resolvConf = ResolvConf.auto
    /// `LinkJournal=`.
    public var linkJournal = LinkJournal.no
  }

  /// The properties of the guest's first process, which its other processes inherit.
  public struct Process: Equatable, Sendable {
    /// `User=`: a user of the guest, by name or by number; nil means root.
    public var user: String?
    /// `NonBlocking=`; nil means yes if `boot` runs systemd, and no otherwise.
    public var nonBlocking: Bool?
    /// `WorkingDirectory=`; nil means the root directory.
    public var workingDirectory: String?
    /// `Personality=`.
    public var personality: Personality?
    /// `LimitCPU=` and the other resource limits.
    public var limits = ResourceLimits()
    /// `OOMScoreAdjust=`; nil means the value of the daemon.
    public var oomScoreAdjust: Int16?
    /// `CPUAffinity=`; empty means the affinity of the daemon.
    public var processors: [ClosedRange<Int>] = []
  }

  /// The capabilities of the guest.
  public struct CapabilitySettings: Equatable, Sendable {
    /// `Capability=`: capabilities in addition to the default ones.
    public var added: [CapabilityChoice] = []
    /// `DropCapability=`: capabilities that are removed from the resulting set.
    public var dropped: [CapabilityChoice] = []
    /// `AmbientCapability=`.
    public var ambient: [Capabilities] = []

    /// The capabilities that `Capability=` names, without `all`.
    public var named: Capabilities {
      added.reduce(into: []) { if case .one(let one) = $1 { $0.formUnion(one) } }
    }
  }

  /// What the guest's processes may ask of the kernel.
  public struct Sandbox: Equatable, Sendable {
    /// `NoNewPrivileges=`.
    public var noNewPrivileges = false
    /// `SystemCallFilter=`, in the order of the files.
    public var systemCalls: [SystemCallChoice] = []
    /// `RestrictAddressFamilies=`; nil means that all are allowed.
    public var families: AddressFamilies?
    /// `SuppressSync=`.
    public var suppressSync = false
  }
}

/// `PivotRoot=`: a directory of the guest's root that becomes the root, and the directory on which the old root is mounted.
public struct PivotRoot: Equatable, Sendable {
  /// The new root: an absolute path in the old one.
  public var new: String
  /// Where the old root is mounted: an absolute path below `new`; nil means that it is unmounted.
  public var old: String?

  public init(new: String, old: String?) {
    self.new = new
    self.old = old
  }
}

/// `[Files]`: the guest's file systems.
public struct FilesSettings: Equatable, Sendable {
  /// `ReadOnly=`.
  public var readOnly = false
  /// `Volatile=`.
  public var volatile = Volatile.no
  /// `PrivateUsersOwnership=`, formerly `PrivateUsersChown=`; nil means the mode that `PrivateUsers=` needs.
  public var usersOwnership: UsersOwnership?
  /// `Bind=`, `BindReadOnly=`, `TemporaryFileSystem=`, `Inaccessible=`, `Overlay=` and `OverlayReadOnly=`, in the order of the
  /// files across all these keys.
  public var mounts: [CustomMount] = []
  /// `BindUser=`: the names of users of the host.
  public var bindUsers: [String] = []
  /// `BindUserShell=`.
  public var bindUserShell = BindUserShell.none

  public init() {}
}

/// systemd.nspawn(5) `Volatile=`.
public enum Volatile: String, Equatable, Sendable, CaseIterable {
  case no, yes, state, overlay
}

/// How the owners of files in a bind mount are mapped in a guest with private users: an option of systemd-nspawn(1) `--bind=`.
public enum BindOwners: String, Equatable, Sendable, CaseIterable {
  /// They are not mapped: the files belong to users of the host, who do not exist in the guest.
  case noidmap
  /// User n of the host becomes user n of the guest.
  case idmap
  /// The owner of the source directory becomes root of the guest; other owners are not mapped.
  case rootidmap
  /// The owner of the source directory becomes the owner of the destination in the guest's root.
  case owneridmap
}

/// A mount that `[Files]` asks for.
public enum CustomMount: Equatable, Sendable {
  /// `Bind=` or `BindReadOnly=` `SOURCE:DESTINATION:OPTIONS`.
  ///
  /// `optional` stands for a leading `-`: a missing source is not an error. An empty `source` (`Bind=:/path`) stands for a new
  /// temporary directory of the host. `recursive` is false with the option `norbind`.
  case bind(
    source: String, destination: String, readOnly: Bool, recursive: Bool, optional: Bool, owners: BindOwners = .noidmap)
  /// As `bind`, with a source in the guest's root: a leading `+`.
  case bindOwn(source: String, destination: String, readOnly: Bool, recursive: Bool, optional: Bool)
  /// `Overlay=` or `OverlayReadOnly=`: `layers` from the lowest to the uppermost. Changes go to the uppermost.
  case overlay(layers: [OverlayLayer], destination: String, readOnly: Bool)
  /// `TemporaryFileSystem=PATH:OPTIONS`, with the options of mount(8) unchanged.
  case temporaryFileSystem(path: String, options: String)
  /// `Inaccessible=`.
  case inaccessible(path: String)
}

/// A directory of an overlay.
public enum OverlayLayer: Equatable, Sendable {
  case host(String)
  /// A directory in the guest's root: a leading `+`.
  case own(String)
  /// A new directory that is removed with the instance: an empty path.
  case temporary
}

/// `[Guest]`: the settings of Dormouse that systemd does not have.
public struct GuestSettings: Equatable, Sendable {
  /// `Directory=`: the guest's root directory; nil means `/var/lib/machines/NAME`.
  public var directory: String?
  /// `IdleFreezeSec=`; nil means never (`infinity`).
  public var idleFreeze: Duration?
  /// `IdleFreeze=`.
  public var idleFreezeMode = IdleFreeze.withoutConnections
  /// `IdleReclaim=`: the memory of a frozen guest is reclaimed.
  public var idleReclaim = false
  /// `IdleStopSec=`; nil means never (`infinity`).
  public var idleStop: Duration? = .seconds(600)
  /// `TimeoutStartSec=`; nil means no timeout.
  public var timeoutStart: Duration? = .seconds(90)
  /// `TimeoutStopSec=`; nil means no timeout.
  public var timeoutStop: Duration? = .seconds(90)
  /// `MachineID=`: 32 lower-case hexadecimal digits; nil means the ID in the guest's root, or else one derived from the
  /// host's ID and the guest's name.
  public var machineID: String?
  /// `SetCredential=` and `LoadCredential=` in the order of the files; of two of a kind with the same ID the last wins.
  public var credentials: [Credential] = []
  /// `Terminals=`: the number of terminals in addition to the console.
  public var terminals = 0
  /// `MemoryMax=`, `CPUQuota=` and the other resource settings.
  public var resources = Resources()

  public init() {}
}

/// `IdleFreeze=`: which idle guests `IdleFreezeSec=` applies to.
public enum IdleFreeze: String, Equatable, Sendable, CaseIterable {
  /// Guests without a connection.
  case withoutConnections = "without-connections"
  /// Guests with silent connections too.
  case withConnections = "with-connections"
}

/// An environment variable of the guest's payload.
public struct EnvironmentVariable: Hashable, Sendable {
  /// The part before the `=`.
  public var name: String
  /// The part after the `=`.
  public var value: String

  public init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }

  /// `NAME=VALUE`, as in an environment block.
  public var assignment: String { "\(name)=\(value)" }
}
