/// A guest as its files ask for it: what was written, with defaults where nothing was, and nothing of this machine.
///
/// The sections carry the names of the files' sections: `[Exec]`, `[Files]` and `[Network]` are systemd.nspawn(5)'s,
/// `[Socket]` is systemd.socket(5)'s (one element of `sockets` for each time the section stands in the file),
/// `[Guest]` is Dormouse's own.
public struct Guest: Equatable, Sendable {
  /// The file's name without `.guest`; a valid machine name (hostname rules, at most 64 characters).
  public var name: String
  /// `[Exec]`.
  public var exec = ExecSettings()
  /// `[Files]`.
  public var files = FilesSettings()
  /// `[Network]`.
  public var network = NetworkSettings()
  /// `[Socket]`, one for each time that the section stands there.
  public var sockets: [SocketGroup] = []
  /// `[Guest]`.
  public var policy = GuestSettings()

  public init(name: String) { self.name = name }
}

/// `[Exec]`: what runs in the guest.
public struct ExecSettings: Equatable, Sendable {
  /// `Boot=`; nil means: yes, but for `ProcessTwo=yes`.
  var wantsBoot: Bool?
  /// `ProcessTwo=`: the command line is run as PID 2, and PID 1 is a small init of Dormouse's own. Not with `boot`.
  public var processTwo = false
  /// `Parameters=`.
  public var parameters: [String] = []
  /// `Environment=`, in the order written; the last of a name wins.
  public var environment: [EnvironmentVariable] = []
  /// `Hostname=`; nil means the guest's name.
  public var hostname: String?
  /// `KillSignal=` as a signal name (`SIGTERM`, `SIGRTMIN+3`); nil means `SIGRTMIN+3` where PID 1 is an init and `SIGTERM`
  /// otherwise.
  public var killSignal: Signal?
  /// `NotifyReady=`: the guest is ready when its PID 1 says READY=1. nil means: with `Boot=yes` yes, otherwise no.
  public var notifyReady: Bool?
  /// `Ephemeral=`: what is written to the root goes with the run.
  public var ephemeral = false
  /// `Timezone=`.
  public var timezone = Timezone.auto
  /// `ResolvConf=`.
  public var resolvConf = ResolvConf.auto
  /// `LinkJournal=`.
  public var linkJournal = LinkJournal.auto
  /// `User=`: a name or a number of the guest's; nil means root.
  public var user: String?
  /// `WorkingDirectory=`; nil means the root.
  public var workingDirectory: String?
  /// `PivotRoot=`.
  public var pivotRoot: PivotRoot?
  /// `Capability=`: besides the usual ones.
  public var addedCapabilities: [CapabilityChoice] = []
  /// `DropCapability=`: of all.
  public var droppedCapabilities: [CapabilityChoice] = []
  /// `AmbientCapability=`.
  public var ambientCapabilities: [Capabilities] = []
  /// `NoNewPrivileges=`.
  public var noNewPrivileges = false
  /// `SystemCallFilter=`, in the order written.
  public var systemCalls: [SystemCallChoice] = []
  /// `RestrictAddressFamilies=`; nil means all.
  public var families: AddressFamilies?
  /// `SuppressSync=`.
  public var suppressSync = false
  /// `Personality=`.
  public var personality: Personality?
  /// `LimitCPU=` and the like.
  public var limits = ResourceLimits()
  /// `OOMScoreAdjust=`; nil means the daemon's own.
  public var oomScoreAdjust: Int16?
  /// `CPUAffinity=`; empty means the daemon's own.
  public var processors: [ClosedRange<Int>] = []

  /// `PrivateUsers=`; nil means: `pick` where the root allows it, otherwise `no`.
  public var privateUsers: PrivateUsers?

  public init() {}

  /// The payload is the guest's own init (systemd is looked for first) and `parameters` are its arguments;
  /// otherwise `parameters` is the command line, run as PID 1 or PID 2.
  public var boot: Bool {
    get { wantsBoot ?? !processTwo }
    set { wantsBoot = newValue }
  }
  /// `KillSignal=`, or what stops this kind of payload where that is not given.
  public var effectiveKillSignal: Signal { killSignal ?? (boot || processTwo ? .realtime(3) : .sigterm) }
  /// Whether the guest is ready only when its payload says READY=1: `NotifyReady=`, or as `boot` is.
  public var waitsForReady: Bool { notifyReady ?? boot }
}

/// `PivotRoot=`: the directory of the root that becomes the root, and where in it the old one is then, if anywhere.
public struct PivotRoot: Equatable, Sendable {
  /// An absolute path in the root.
  public var new: String
  /// An absolute path below `new`.
  public var old: String?

  public init(new: String, old: String?) {
    self.new = new
    self.old = old
  }
}

/// `[Files]`: what the guest sees of the file system.
public struct FilesSettings: Equatable, Sendable {
  /// `ReadOnly=`.
  public var readOnly = false
  /// `Volatile=`.
  public var volatile = Volatile.no
  /// `PrivateUsersOwnership=`, by its older name `PrivateUsersChown=`; nil means what `PrivateUsers=` needs.
  public var usersOwnership: UsersOwnership?
  /// `Bind=`, `BindReadOnly=`, `TemporaryFileSystem=` and `Inaccessible=` in the order written over all four keys.
  public var mounts: [CustomMount] = []
  /// `BindUser=`: users of the host, by name.
  public var bindUsers: [String] = []
  /// `BindUserShell=`.
  public var bindUserShell = BindUserShell.none

  public init() {}
}

/// systemd.nspawn(5) `Volatile=`.
public enum Volatile: String, Equatable, Sendable, CaseIterable {
  case no, yes, state, overlay
}

/// Whose the files of a bind mount are in a guest with users of its own, by the option of systemd-nspawn(1) `--bind=`.
public enum BindOwners: String, Equatable, Sendable, CaseIterable {
  /// The host's users', of whom the guest has none.
  case noidmap
  /// A file of the host's user n is of the guest's user n.
  case idmap
  /// The owner of the source is the guest's root, and no other owner is anybody's.
  case rootidmap
  /// The owner of the source is who owns the destination in the guest's root.
  case owneridmap
}

/// One line of `[Files]`.
public enum CustomMount: Equatable, Sendable {
  /// `Bind=`/`BindReadOnly=` `SOURCE:DESTINATION:OPTIONS`. `optional`: the source was written with a leading `-`, and
  /// a missing one is no error. An empty `source` (`Bind=:/path`) asks for a fresh temporary directory of the host.
  /// `recursive` is false with the option `norbind`.
  case bind(
    source: String, destination: String, readOnly: Bool, recursive: Bool, optional: Bool, owners: BindOwners = .noidmap)
  /// As `bind`, of a source in the guest's own tree: written with a leading `+`.
  case bindOwn(source: String, destination: String, readOnly: Bool, recursive: Bool, optional: Bool)
  /// `Overlay=`/`OverlayReadOnly=`: `layers` on top of each other, the first lowest; what is written goes into the last.
  case overlay(layers: [OverlayLayer], destination: String, readOnly: Bool)
  /// `TemporaryFileSystem=PATH:OPTIONS`; options as for mount(8), already split off and otherwise untouched.
  case temporaryFileSystem(path: String, options: String)
  /// `Inaccessible=`.
  case inaccessible(path: String)
}

/// A directory of an overlay.
public enum OverlayLayer: Equatable, Sendable {
  case host(String)
  /// In the guest's own tree: written with a leading `+`.
  case own(String)
  /// Written as nothing: a fresh one, gone with the run.
  case temporary
}

/// `[Guest]`: what only Dormouse knows.
public struct GuestSettings: Equatable, Sendable {
  /// `Directory=`: the root; nil means `/var/lib/machines/NAME`.
  public var directory: String?
  /// `IdleFreezeSec=`; nil means never (`infinity`).
  public var idleFreeze: Duration?
  /// `IdleFreeze=`.
  public var idleFreezeMode = IdleFreeze.withoutConnections
  /// `IdleReclaim=`: the memory of a frozen guest is pushed out.
  public var idleReclaim = false
  /// `IdleStopSec=`; nil means never (`infinity`).
  public var idleStop: Duration? = .seconds(600)
  /// `TimeoutStartSec=`; nil means without end.
  public var timeoutStart: Duration? = .seconds(90)
  /// `TimeoutStopSec=`; nil means without end.
  public var timeoutStop: Duration? = .seconds(90)
  /// `MachineID=`: 32 lower-case hexadecimal digits; nil means: the one in the guest's root, else one derived from
  /// this host's and the name.
  public var machineID: String?
  /// `SetCredential=` and `LoadCredential=` in the order written; of two of one kind with the same ID the last counts.
  public var credentials: [Credential] = []
  /// `Terminals=`: so many besides the console.
  public var terminals = 0
  /// `MemoryMax=`, `CPUQuota=` and so on.
  public var resources = Resources()

  public init() {}
}

/// Which guests `IdleFreezeSec=` is about.
public enum IdleFreeze: String, Equatable, Sendable, CaseIterable {
  /// Those without a connection.
  case withoutConnections = "without-connections"
  /// Those with silent connections too.
  case withConnections = "with-connections"
}

/// A variable of the guest's payload.
public struct EnvironmentVariable: Hashable, Sendable {
  /// What stands before the `=`.
  public var name: String
  /// What stands behind it.
  public var value: String

  public init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }

  /// As it stands in an environment.
  public var assignment: String { "\(name)=\(value)" }
}
