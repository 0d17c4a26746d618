import GuestSpec

/// Everything that launching a guest's PID 1 needs, as a value. The same guest and the same facts make the same plan.
public struct LaunchPlan: Equatable, Sendable {
  /// The steps of the child, in order; the last is `.execute`.
  public var steps: [Step] = []
  /// The arguments of the payload, the zeroth included. If the guest boots, `.execute` replaces the zeroth by the path that it executes.
  public var arguments: [String] = []
  /// The whole environment of the payload. Every name is in it once.
  public var environment: [EnvironmentVariable] = []
  /// The ID map of the guest's user namespace; nil: the guest's users are the host's.
  public var users: IDMap?
  /// The network that the guest is in.
  public var network = Network.host
  /// The settings of the guest's file that this start does not apply.
  public var notes: [PlanNote] = []
  /// The devices that the guest may make and open; nil: the kernel cannot restrict them.
  public var devices: [Device]?
  /// The oom_score_adj of the guest's processes; nil: the daemon's own, or 0 where that is negative.
  public var oomScoreAdjust: Int16?
  /// The limits that are written to the guest's cgroup before the launch.
  public var limits: [CgroupLimit] = []
  /// The limits of the guest's file whose controller the cgroup lacks.
  public var unmetLimits: [CgroupLimit] = []
  /// How many terminals the guest has besides its console: numbers 1 and up of its devpts.
  public var terminals = 0
  /// How many listeners PID 1 gets, as the descriptors 3 and up.
  public var listenerCount = 0
  /// The descriptors that the first slots hold from the beginning.
  public var preloaded: [Preloaded] = [.terminals]
  /// How many slots the steps use, the preloaded ones included.
  public var slotCount = 1

  /// The network of a guest.
  public enum Network: Hashable, Sendable {
    case host
    /// A network namespace of the guest's own, made for this start.
    case own
    /// The network namespace that a file is, as `ip netns add` makes one.
    case at(path: String)

    public init(_ settings: NetworkSettings) {
      self = settings.isPrivate ? .own : settings.namespacePath.map(Network.at) ?? .host
    }
  }

  public init() {}

  /// Whether PID 1 is made in a user namespace.
  public var crosses: Bool {
    steps.contains {
      if case .cross = $0 { true } else { false }
    }
  }

  /// Whether the payload is PID 2, below the small init.
  public var hasInit: Bool { preloaded.contains(.smallInit) }
}

/// Why there is no plan for a guest on this host. Each is a mistake in the guest's file.
public enum PlanError: Error, Equatable, Sendable, CustomStringConvertible {
  case noCommand
  case hostRootIsWritable
  case rootIsNotMergedUsr(root: String)
  case noScratchDirectory(destination: String)
  case noResolvConf(path: String)
  case noUser(String, root: String)
  case ambientCapabilitiesAreNotKept(String)
  case foreignPersonality(String)
  case no32Bit(String)
  case pivotInVolatileRoot

  public var description: String {
    switch self {
    case .noCommand:
      "Boot=no needs a command in Parameters="
    case .hostRootIsWritable:
      "Directory=/ needs Volatile=yes, state or overlay, or ReadOnly=yes: a guest never writes to the host's own root"
    case .rootIsNotMergedUsr(let root):
      "Volatile=yes needs a root whose /bin is a symbolic link into /usr; \(root)/bin is not"
    case .noScratchDirectory(let destination):
      "no directory was made for Bind=:\(destination)"
    case .noResolvConf(let path):
      "ResolvConf= needs \(path) of this host, which cannot be read; create it, or use another mode"
    case .noUser(let name, let root):
      "User=\(name): \(root) has no such user in its /etc/passwd; write the name of an existing user, or an ID"
    case .ambientCapabilitiesAreNotKept(let names):
      "AmbientCapability=\(names): the guest does not have it; add it by Capability=, and do not drop it"
    case .foreignPersonality(let name):
      "Personality=\(name): this host's kernel does not run such programs; remove the setting"
    case .no32Bit(let name):
      "Personality=\(name): this host's processor runs no 32-bit programs; remove the setting"
    case .pivotInVolatileRoot:
      "PivotRoot=: the root of Volatile=yes has no such directory; use Volatile=overlay or Volatile=state"
    }
  }
}
