/// All that was seen of a guest that runs, from outside: judging looks at nothing else.
public struct Observation: Equatable, Sendable {
  /// The guest's.
  public var name: String
  /// Of the guest's root, by path; a path that is not here does not exist. Only `paths` are looked at.
  public var files: [String: File] = [:]
  /// The mounts of the guest's process 1.
  public var mounts: [Mount] = []
  /// Those of the host's process 1.
  public var hostMounts: [Mount] = []
  /// The environment of process 1 as it was executed.
  public var environment: [String: String] = [:]
  /// /proc/PID/status.
  public var status: [String: String] = [:]
  /// The kinds (as in /proc/PID/ns) in which the guest has a namespace other than the host's.
  public var ownNamespaces: Set<String> = []
  /// /proc/PID/uid_map.
  public var userMap: [UserRange] = []
  /// In the guest's own UTS namespace.
  public var hostname = ""
  /// The cgroup of process 1, as the host names it.
  public var cgroup = ""
  /// The names of all cgroups below the guest's.
  public var groupsBelow: Set<String> = []
  /// The cgroup that the daemon may use, as the host names it.
  public var daemonCgroup = ""
  /// Whether systemd on the host says that it delegated a cgroup above the guest's; nil: no systemd has made it.
  public var isDelegated: Bool?
  /// How many device programs the kernel holds the guest to; nil: it does not say.
  public var devicePrograms: Int?
  /// Whether the master of /dev/console is open.
  public var consoleIsHeld = false
  /// Those of `terminals` whose masters are open.
  public var heldTerminals: Set<String> = []
  /// The guest's network interfaces.
  public var interfaces: [String] = []
  /// What is known of the host.
  public var host = Host()
  /// What the daemon says of the guest.
  public var daemon = Daemon()

  public init(name: String) { self.name = name }

  /// What the daemon says of the guest.
  public struct Daemon: Equatable, Sendable {
    /// How many are held for it.
    public var sockets = 0
    /// How many of them the guest has open.
    public var adopted = 0
    /// Whether a service manager passed them.
    public var werePassed = false
    /// Whether its PID 1 said READY=1.
    public var isReady = false
    /// Whether the last stop took SIGKILL; nil: there was none.
    public var lastStopWasKill: Bool?
    /// The container_uuid of its other guests that run.
    public var otherUUIDs: [String] = []

    public init() {}
  }

  /// What is known of the host.
  public struct Host: Equatable, Sendable {
    /// Its os-release(5), whole.
    public var osRelease = ""
    /// The target of /etc/localtime below /usr/share/zoneinfo.
    public var timezone: String?
    /// /var/log/journal, by the names in it; nil: there is none.
    public var journals: Set<String>?
    /// Whether selinuxfs is mounted there.
    public var hasSELinux = false
    /// The machines that systemd-machined knows, with its words for what it knows of them; nil: there is no machined.
    public var machines: [String: [String: String]]?
    /// The host's network interfaces.
    public var interfaces: [String] = []
    /// Whether the guest's /run/host/unix-export is to be seen below the daemon's runtime directory.
    public var exportsSockets = false

    public init() {}
  }
}

/// One line of uid_map: `count` users from `inside` on are the host's from `outside` on.
public struct UserRange: Equatable, Sendable {
  /// Ids, and how many.
  public var inside, outside, count: UInt64

  public init(inside: UInt64, outside: UInt64, count: UInt64) {
    self.inside = inside
    self.outside = outside
    self.count = count
  }
}

/// One mount.
public struct Mount: Equatable, Sendable {
  /// What of the file system is mounted, where, and of which type it is (proc_pid_mountinfo(5)).
  public var root, target, type: String
  /// Of the mount: `rw`, `nosuid`, …
  public var options: [String]
  /// `shared:N`, `master:N`.
  public var propagation: [String]

  public init(root: String, target: String, type: String, options: [String], propagation: [String]) {
    self.root = root
    self.target = target
    self.type = type
    self.options = options
    self.propagation = propagation
  }

  var isReadOnly: Bool { options.contains("ro") }
  var peerGroup: String? { propagation.first { $0.hasPrefix("shared:") } }
}

/// A file of the guest's root, with links followed inside that root.
public struct File: Equatable, Sendable {
  /// inode(7)'s kinds.
  public enum Kind: String, Sendable {
    case regular, directory, link, character, block, fifo, socket
  }

  /// After the links; a link that leads nowhere is itself.
  public var kind: Kind
  /// The twelve bits of chmod(2).
  public var mode: UInt32
  /// As the host numbers users.
  public var owner: UInt32
  /// Of a device.
  public var major: UInt32 = 0
  /// As `major`.
  public var minor: UInt32 = 0
  /// Whether nothing can be written there, be it for the mount or for the file system.
  public var isReadOnly: Bool
  /// What the path itself holds when it is a symbolic link.
  public var link: String?
  /// The beginning of a regular file.
  public var text: String?
  /// The names in a directory.
  public var names: Set<String> = []

  public init(_ kind: Kind, mode: UInt32, owner: UInt32, isReadOnly: Bool) {
    self.kind = kind
    self.mode = mode
    self.owner = owner
    self.isReadOnly = isReadOnly
  }
}
