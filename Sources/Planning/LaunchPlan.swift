import GuestSpec

/// Everything that starting a guest's PID 1 takes, as a value: the same guest and facts make the same plan.
public struct LaunchPlan: Equatable, Sendable {
  /// What the child does, in order; the last is `.execute`.
  public var steps: [Step] = []
  /// The arguments of the payload, with the zeroth, which `.execute` replaces by the path it took when the guest boots.
  public var arguments: [String] = []
  /// The environment of the payload, nothing else: no name stands in it twice.
  public var environment: [EnvironmentVariable] = []
  /// Which users of the host the guest's are; nil: the same.
  public var users: IDMap?
  /// Whose network the guest is in.
  public var network = Network.host
  /// What of the guest's file is not carried out in this start.
  public var notes: [PlanNote] = []
  /// What devices the guest may make and open; nil: the kernel cannot keep it from any.
  public var devices: [Device]?
  /// What the kernel adds to the score of the guest's processes when it is out of memory; nil: the daemon's own.
  public var oomScoreAdjust: Int16?
  /// What is written into the guest's cgroup before it starts.
  public var limits: [CgroupLimit] = []
  /// The settings that no controller is there for.
  public var unmetLimits: [CgroupLimit] = []
  /// How many terminals the guest has besides its console: numbers 1 and up of its devpts.
  public var terminals = 0
  /// How many listeners the guest is told of; they are descriptors 3 and up.
  public var listenerCount = 0
  /// What the first slots hold from the beginning.
  public var preloaded: [Preloaded] = [.terminals]
  /// How many slots the steps use, with the preloaded ones.
  public var slotCount = 1

  /// Whose network the guest has.
  public enum Network: Hashable, Sendable {
    case host
    /// A namespace of the guest's own, made for this start.
    case own
    /// The namespace that a file stands for, as `ip netns add` makes one.
    case at(path: String)

    public init(_ settings: NetworkSettings) {
      self = settings.isPrivate ? .own : settings.namespacePath.map(Network.at) ?? .host
    }
  }

  public init() {}

  /// Whether PID 1 is made from inside a user namespace.
  public var crosses: Bool {
    steps.contains {
      if case .cross = $0 { true } else { false }
    }
  }

  /// Whether the guest's program is PID 2, below a small init.
  public var hasInit: Bool { preloaded.contains(.smallInit) }
}

/// Why there is no plan for a guest on this host: each is a mistake in the guest's file.
public enum PlanError: Error, Equatable, Sendable, CustomStringConvertible {
  case noCommand
  case hostRootIsWritable
  case rootIsNotMergedUsr(root: String)
  case noScratchDirectory(destination: String)
  case noResolvConf(path: String)
  case noUser(String, root: String)
  case ambientCapabilitiesAreNotKept(String)
  case foreignPersonality(String)
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
      "ResolvConf= asks for \(path) of this host, which cannot be read; have it written, or ask for another one"
    case .noUser(let name, let root):
      "User=\(name): \(root) has no such user in its /etc/passwd; write a name that is there, or a number"
    case .ambientCapabilitiesAreNotKept(let names):
      "AmbientCapability=\(names): the guest does not have it; give it by Capability=, and do not drop it"
    case .foreignPersonality(let name):
      "Personality=\(name): this host's kernel runs no such programs; take it out"
    case .pivotInVolatileRoot:
      "PivotRoot= finds nothing in the empty root of Volatile=yes; use Volatile=overlay or state"
    }
  }
}
