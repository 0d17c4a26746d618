/// The facts about a running guest that were observed from outside. The rows are judged by these facts alone.
public struct Observation: Equatable, Sendable {
  /// The name of the guest.
  public var name: String
  /// Files in the guest's root, by path. A path of `paths` that has no entry does not exist; others are not observed.
  public var files: [String: File] = [:]
  /// The mounts in the mount namespace of the guest.
  public var mounts: [Mount] = []
  /// The mounts in the mount namespace of the host.
  public var hostMounts: [Mount] = []
  /// What /proc shows of process 1.
  public var process = Process()
  /// The cgroups of the guest and of the daemon.
  public var cgroups = Cgroups()
  /// The version of systemd in the guest's root; nil if that is not known.
  public var systemd: Int?
  /// Whether a process has the master side of /dev/console open.
  public var consoleIsHeld = false
  /// The terminals of `terminals` whose master side is open.
  public var heldTerminals: Set<String> = []
  /// The network interfaces of the guest.
  public var interfaces: [String] = []
  /// Facts about the host.
  public var host = Host()
  /// What the daemon reports about the guest.
  public var daemon = Daemon()

  public init(name: String) { self.name = name }

  /// What /proc shows of process 1.
  public struct Process: Equatable, Sendable {
    /// The environment with which it was executed.
    public var environment: [String: String] = [:]
    /// The command line, without the program's name.
    public var arguments: [String] = []
    /// The fields of /proc/PID/status.
    public var status: [String: String] = [:]
    /// The namespaces that it does not share with the host, by their names in /proc/PID/ns.
    public var ownNamespaces: Set<String> = []
    /// The ranges of /proc/PID/uid_map.
    public var userMap: [UserRange] = []
    /// The host name in its UTS namespace.
    public var hostname = ""

    public init() {}
  }

  /// The cgroups of the guest and of the daemon.
  public struct Cgroups: Equatable, Sendable {
    /// The path of the cgroup of process 1 on the host.
    public var guest = ""
    /// The names of all cgroups below that of the guest.
    public var below: Set<String> = []
    /// The path on the host of the cgroup of the guest's unit: of its scope, or where it has none, of the daemon's own unit.
    public var unit = ""
    /// Whether systemd on the host delegated that cgroup; nil if systemd did not create it.
    public var isDelegated: Bool?
    /// The number of device programs that apply to the guest; nil if the kernel does not tell.
    public var devicePrograms: Int?

    public init() {}
  }

  /// What the daemon reports about the guest.
  public struct Daemon: Equatable, Sendable {
    /// The number of sockets that the daemon holds for the guest.
    public var sockets = 0
    /// How many of these sockets the guest has open.
    public var adopted = 0
    /// Whether a service manager passed the sockets to the daemon.
    public var werePassed = false
    /// Whether PID 1 of the guest sent READY=1.
    public var isReady = false
    /// Whether the last stop needed SIGKILL; nil if the guest was never stopped.
    public var lastStopWasKill: Bool?
    /// $container_uuid of the other running guests.
    public var otherUUIDs: [String] = []

    public init() {}
  }

  /// Facts about the host.
  public struct Host: Equatable, Sendable {
    /// The contents of os-release(5).
    public var osRelease = ""
    /// The target of /etc/localtime, relative to /usr/share/zoneinfo.
    public var timezone: String?
    /// The names in /var/log/journal; nil if there is no such directory.
    public var journals: Set<String>?
    /// Whether selinuxfs is mounted.
    public var hasSELinux = false
    /// The machines of systemd-machined with its properties of each; nil if machined is not available.
    public var machines: [String: [String: String]]?
    /// The network interfaces of the host.
    public var interfaces: [String] = []
    /// Whether /run/host/unix-export of the guest is visible below the runtime directory of the daemon.
    public var exportsSockets = false

    public init() {}
  }
}

/// A line of uid_map: `count` user IDs from `inside` on map to those of the host from `outside` on.
public struct UserRange: Equatable, Sendable {
  /// The first ID in the guest, the first ID on the host, and the number of IDs.
  public var inside, outside, count: UInt64

  public init(inside: UInt64, outside: UInt64, count: UInt64) {
    self.inside = inside
    self.outside = outside
    self.count = count
  }
}

/// A mount, as in proc_pid_mountinfo(5).
public struct Mount: Equatable, Sendable {
  /// The directory of the file system that is mounted, the mount point, and the type of the file system.
  public var root, target, type: String
  /// The options of the mount: `rw`, `nosuid` and so on.
  public var options: [String]
  /// The propagation fields: `shared:N`, `master:N`.
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

/// A file in the guest's root; symbolic links are resolved within that root.
public struct File: Equatable, Sendable {
  /// The file types of inode(7).
  public enum Kind: String, Sendable {
    case regular, directory, link, character, block, fifo, socket
  }

  /// The type of the file after symbolic links are followed; `link` for a dangling one.
  public var kind: Kind
  /// The mode: the twelve bits of chmod(2).
  public var mode: UInt32
  /// The user ID of the owner on the host.
  public var owner: UInt32
  /// The major number of a device.
  public var major: UInt32 = 0
  /// The minor number of a device.
  public var minor: UInt32 = 0
  /// Whether the mount or the file system is read-only.
  public var isReadOnly: Bool
  /// The target, if the path itself is a symbolic link.
  public var link: String?
  /// The first part of the contents of a regular file.
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
