import GuestSpec

/// One small operation of a start. The child carries them out in order and reports the one that failed.
///
/// Before `.switchRoot` a path is the host's; after it, the guest's, so that no symbolic link in a guest's root can lead an
/// operation out of it. A *slot* holds a mount that is attached nowhere yet: what a guest gets of the host is opened into slots
/// before the switch and attached after it.
public enum Step: Hashable, Sendable {
  /// A session of its own (setsid(2)), without a terminal: the guest's init takes the console itself.
  case newSession
  /// A session keyring of its own, so that the daemon's keys stay with the daemon.
  case newKeyring
  /// A cgroup namespace whose root is the cgroup the child is in.
  case newCgroupNamespace
  /// Enters the namespace whose descriptor is in a slot.
  case enter(Namespace, slot: Int)
  /// Makes files as this user and group of the host from here on, with the daemon's capabilities.
  case actAsRoot(user: UInt32, group: UInt32)
  /// Makes the first process in the user namespace of a slot; it goes on with the next step, as that namespace's root. `pin` is a
  /// proc of the host's.
  case cross(slot: Int, pin: String)
  /// Has the pin unmounted, and waits until nobody of the host's is left.
  case unpin
  /// Makes the mounts below `path` slaves of the host's, private, or shared among themselves.
  case propagate(Propagation, path: String)
  /// Clones the mount at `source` into a slot, with `attributes` from the beginning.
  case open(slot: Int, source: String, attributes: MountFlags, recursive: Bool, optional: Bool)
  /// As `open`, with all below it, for a directory of the guest's own root. A symbolic link in its place would be followed on the
  /// host, and is not.
  case openOwn(slot: Int, source: String, attributes: MountFlags)
  /// Lets the mount in a slot translate the owners of its files by the user namespace in another, with all below it when `recursive`.
  case map(slot: Int, users: Int, source: String, recursive: Bool)
  /// Attaches a slot to `target`, which is made when missing: a directory or a file, as `source` is. An empty slot is left out.
  case attach(slot: Int, source: String, target: String)
  /// Attaches slot 0, the devpts of which the launcher holds the console's master.
  case attachTerminals(target: String)
  case mount(type: String, target: String, flags: MountFlags, data: String, optional: Bool)
  /// Changes the flags of the mount at `path`, and of all below it when `recursive`.
  case change(path: String, set: MountFlags, recursive: Bool)
  /// Binds `path` to itself with other flags.
  case rebind(path: String, set: MountFlags, clear: MountFlags, optional: Bool)
  /// Binds what the guest sees at `source` to `target`, which is made when missing.
  case bindOwn(source: String, target: String, attributes: MountFlags, recursive: Bool, optional: Bool)
  /// Takes the mount at `path` away, with all below it.
  case detach(path: String)
  /// Covers `path` with an empty file or directory of /run/host/inaccessible.
  case mask(path: String, optional: Bool)
  /// Makes the mount at `staging` the root and takes the old root away.
  case switchRoot(staging: String)
  /// Makes the mount at `new` the root; the old root is taken away, or lies at `old` in the new one, a directory of the old root's.
  case pivotRoot(new: String, old: String?)
  /// An existing one is right.
  case makeDirectory(path: String, mode: UInt16)
  case makeLink(path: String, target: String)
  case makeNode(Node, path: String, mode: UInt16)
  case writeFile(path: String, mode: UInt16, contents: String)
  /// Makes a new file in the place of what is at `path`; with `keepsLink` a symbolic link that is there stays, and that is that.
  /// `lenient`: a root that will not have it does without.
  case replaceFile(path: String, mode: UInt16, contents: [UInt8], keepsLink: Bool, lenient: Bool)
  /// Makes a symbolic link in the place of what is at `path`.
  case replaceLink(path: String, target: String, lenient: Bool)
  /// Removes a file or a symbolic link; that there is none is right.
  case remove(path: String)
  case setHostname(String)
  case bringUpLoopback
  /// Lowers or raises a limit; raising without CAP_SYS_RESOURCE leaves the hard limit where it is.
  case limit(Resource, soft: UInt64, hard: UInt64)
  /// What uname(2) says of the architecture: the kernel's own, or its 32-bit one.
  case setPersonality(is32Bit: Bool)
  /// The processors to run on, by their numbers.
  case setAffinity([ClosedRange<Int>])
  case changeDirectory(String)
  /// User and groups, and the console is theirs; capabilities stay as they are until `execute`.
  case becomeUser(Account)
  case setUmask(UInt16)
  /// Opens the terminal at `path` as descriptors 0, 1 and 2.
  case openConsole(path: String)
  /// Drops every other capability for ever; one that the daemon lacks itself is no error.
  ///
  /// `untilExecuted` are kept besides for the steps that follow: they are gone with `execute`.
  case keepCapabilities(Capabilities, untilExecuted: Capabilities = [])
  /// Makes capabilities that were kept ambient ones: who is not root has them after `execute` too.
  case raiseCapabilities(Capabilities)
  /// PR_SET_NO_NEW_PRIVS: executing a file never gives more than one had.
  case noNewPrivileges
  /// Takes effect at once, for this process and all that come from it. Needs CAP_SYS_ADMIN or `noNewPrivileges`.
  case filterSystemCalls(SystemCallFilter)
  /// Blocks these signals and no other.
  case blockSignals([Signal])
  /// Makes the second process, which goes on with the next step; this one executes the small init that is in a slot.
  case leaveInit(slot: Int, arguments: [String], environment: [EnvironmentVariable])
  /// Runs the first of `candidates` that exists; `namesItself`: the zeroth argument is the candidate's path.
  case execute(candidates: [String], namesItself: Bool)

  /// What a process can be moved into by a descriptor.
  public enum Namespace: Hashable, Sendable {
    case network
  }

  /// MS_SLAVE, MS_PRIVATE and MS_SHARED of mount(2).
  public enum Propagation: Hashable, Sendable {
    case slave, `private`, shared
  }

  /// What mknod(2) makes.
  public enum Node: Hashable, Sendable {
    case file, fifo, socket
    case character(major: UInt32, minor: UInt32)
    case block(major: UInt32, minor: UInt32)
  }
}

extension Step: CustomStringConvertible {
  /// What the step does, to stand before `: ` and the words of an errno.
  public var description: String {
    switch self {
    case .newSession: "starting a session"
    case .newKeyring: "making a session keyring"
    case .newCgroupNamespace: "making a cgroup namespace"
    case .enter(.network, _): "entering the guest's network namespace"
    case .actAsRoot(let user, _): "acting as the guest's root, user \(user)"
    case .cross: "making the first process in the guest's user namespace"
    case .unpin: "leaving the host's users"
    case .propagate(.slave, let path): "separating the mounts below \(path) from the host's"
    case .propagate(.private, let path): "making the mounts below \(path) private"
    case .propagate(.shared, let path): "sharing the mounts below \(path) inside the guest"
    case .open(_, let source, _, _, _), .openOwn(_, let source, _): "opening \(source) to bind it"
    case .map(_, _, let source, _): "mapping the owners of the files in \(source) to the guest's users"
    case .attach(_, let source, let target): "binding \(source) to \(target)"
    case .attachTerminals(let target): "mounting devpts on \(target)"
    case .mount(let type, let target, _, _, _): "mounting \(type) on \(target)"
    case .change(let path, let set, _):
      set.contains(.readOnly) ? "making \(path) read-only" : "changing the mount flags of \(path)"
    case .rebind(let path, let set, _, _):
      set.contains(.readOnly) ? "making \(path) read-only" : "making \(path) writable"
    case .bindOwn(let source, let target, _, _, _): "binding \(source) of the guest to \(target)"
    case .detach(let path): "taking away the mount at \(path)"
    case .mask(let path, _): "hiding \(path)"
    case .switchRoot(let staging): "switching the root to \(staging)"
    case .pivotRoot(let new, _): "switching the root to \(new)"
    case .makeDirectory(let path, _): "making the directory \(path)"
    case .makeLink(let path, let target), .replaceLink(let path, let target, _): "linking \(path) to \(target)"
    case .makeNode(_, let path, _): "making the node \(path)"
    case .writeFile(let path, _, _), .replaceFile(let path, _, _, _, _): "writing \(path)"
    case .remove(let path): "removing \(path)"
    case .setHostname(let name): "setting the host name \(name)"
    case .bringUpLoopback: "bringing up the loopback interface"
    case .limit(let resource, _, _): "setting \(resource.name)"
    case .setPersonality: "setting the personality"
    case .setAffinity: "setting the CPU affinity"
    case .changeDirectory(let path): "changing to the directory \(path)"
    case .becomeUser(let account): "becoming the user \(account.name)"
    case .setUmask: "setting the umask"
    case .openConsole(let path): "opening the console \(path)"
    case .keepCapabilities: "dropping capabilities"
    case .raiseCapabilities: "making capabilities ambient"
    case .noNewPrivileges: "forbidding new privileges"
    case .filterSystemCalls: "filtering system calls"
    case .blockSignals: "blocking the stop signals"
    case .leaveInit: "executing the small init"
    case .execute(let candidates, _): "executing \(Self.either(candidates))"
    }
  }

  /// `a`, `a or b`, `a, b or c`.
  private static func either(_ names: [String]) -> String {
    guard let last = names.last, names.count > 1 else { return names.first ?? "nothing" }
    return names.dropLast().joined(separator: ", ") + " or " + last
  }
}
