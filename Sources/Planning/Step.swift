import GuestSpec

/// One step of a launch. The child executes the steps in order, and reports the one that failed.
///
/// Before `.switchRoot` a path is the host's. After it a path is the guest's, so that no symbolic link in a guest's root can point an
/// operation out of the root. A *slot* holds a detached mount: the host's files that a guest gets are opened into slots before the switch
/// and attached after it.
public enum Step: Hashable, Sendable {
  /// Starts a session (setsid(2)) without a controlling terminal: the guest's init takes the console itself.
  case newSession
  /// Joins a new session keyring, so that the guest does not get the daemon's keys.
  case newKeyring
  /// Waits until the daemon has moved this process to the cgroup that it stays in.
  case awaitPlacement
  /// Makes a cgroup namespace whose root is the child's cgroup.
  case newCgroupNamespace
  /// Enters the namespace in a slot.
  case enter(Namespace, slot: Int)
  /// Makes files as this user and group of the host from here on, and keeps the daemon's capabilities.
  case actAsRoot(user: UInt32, group: UInt32)
  /// Makes the first process in the user namespace in a slot. It executes the next steps as the namespace's root user. `pin` is a mount of
  /// the host's proc.
  case cross(slot: Int, pin: String)
  /// Has the pin unmounted, and waits until the processes outside of the user namespace have ended.
  case unpin
  /// Makes the mounts below `path` slaves of the host's, private, or shared.
  case propagate(Propagation, path: String)
  /// Clones the mount at `source` into a slot, with `attributes` set before it is attached.
  case open(slot: Int, source: String, attributes: MountFlags, recursive: Bool, optional: Bool)
  /// As `open`, recursively, for a directory of the guest's own root. Fails at a symbolic link, which would be resolved on the host.
  case openOwn(slot: Int, source: String, attributes: MountFlags)
  /// Maps the owners of the files of the mount in a slot, with `recursive` of those below it too, by the user namespace in another slot.
  case map(slot: Int, users: Int, source: String, recursive: Bool)
  /// Attaches a slot to `target`. A missing target is made: a directory or a file, as `source` is. An empty slot is skipped.
  case attach(slot: Int, source: String, target: String)
  /// Attaches slot 0, the devpts whose console master the daemon has.
  case attachTerminals(target: String)
  case mount(type: String, target: String, flags: MountFlags, data: String, optional: Bool)
  /// Changes the flags of the mount at `path`, and with `recursive` of those below it.
  case change(path: String, set: MountFlags, recursive: Bool)
  /// Binds `path` to itself with other flags.
  case rebind(path: String, set: MountFlags, clear: MountFlags, optional: Bool)
  /// Binds the guest's `source` to `target`, which is made if it is missing.
  case bindOwn(source: String, target: String, attributes: MountFlags, recursive: Bool, optional: Bool)
  /// Unmounts `path` with everything below it, and removes the directory.
  case detach(path: String)
  /// Covers `path` with an empty file or directory of /run/host/inaccessible.
  case mask(path: String, optional: Bool)
  /// Makes the mount at `staging` the root, and unmounts the old root.
  case switchRoot(staging: String)
  /// Makes the mount at `new` the root. The old root is moved to its own directory `old`, a path in the new root, or unmounted.
  case pivotRoot(new: String, old: String?)
  /// Makes a directory, with those above it. An existing one is no error.
  case makeDirectory(path: String, mode: UInt16)
  /// Makes a symbolic link. An existing file is no error.
  case makeLink(path: String, target: String)
  case makeNode(Node, path: String, mode: UInt16)
  case writeFile(path: String, mode: UInt16, contents: String)
  /// Replaces what is at `path` by a new file. With `keepsLink` an existing symbolic link stays, and nothing is done. With `lenient` a
  /// failure is ignored, for example in a read-only root.
  case replaceFile(path: String, mode: UInt16, contents: [UInt8], keepsLink: Bool, lenient: Bool)
  /// Replaces what is at `path` by a symbolic link.
  case replaceLink(path: String, target: String, lenient: Bool)
  /// Removes a file or a symbolic link. A missing one is no error.
  case remove(path: String)
  case setHostname(String)
  case bringUpLoopback
  /// Writes to the file of a sysctl. With `lenient` a failure is ignored.
  case setSysctl(path: String, String, lenient: Bool)
  /// Sets a resource limit. Without CAP_SYS_RESOURCE the hard limit is not raised.
  case limit(Resource, soft: UInt64, hard: UInt64)
  /// Sets the architecture that uname(2) returns: the kernel's, or its 32-bit one.
  case setPersonality(is32Bit: Bool)
  /// Restricts the processors, given by their numbers, that PID 1 runs on.
  case setAffinity([ClosedRange<Int>])
  case changeDirectory(String)
  /// Sets user and groups, and the owner of the console. The capabilities stay until `execute`.
  case becomeUser(Account)
  case setUmask(UInt16)
  /// Opens the terminal at `path` as descriptors 0, 1 and 2.
  case openConsole(path: String)
  /// Drops every other capability, from the bounding set too. A capability that the daemon lacks is no error.
  ///
  /// The later steps still need `untilExecuted`, which `execute` drops.
  case keepCapabilities(Capabilities, untilExecuted: Capabilities = [])
  /// Makes kept capabilities ambient, so that a user other than root has them after `execute` too.
  case raiseCapabilities(Capabilities)
  /// Sets PR_SET_NO_NEW_PRIVS: execve(2) never adds privileges.
  case noNewPrivileges
  /// Installs a seccomp filter, for this process and its descendants, at once. Needs CAP_SYS_ADMIN or `noNewPrivileges`.
  case filterSystemCalls(SystemCallFilter)
  /// Blocks these signals and no other.
  case blockSignals([Signal])
  /// The fork step of `ProcessTwo=`: makes PID 2, which executes the next steps. PID 1 executes the small init in a slot.
  case leaveInit(slot: Int, arguments: [String], environment: [EnvironmentVariable])
  /// Executes the first of `candidates` that exists. With `namesItself` the zeroth argument is the candidate's path.
  case execute(candidates: [String], namesItself: Bool)

  /// A kind of namespace that a step can enter.
  public enum Namespace: Hashable, Sendable {
    case network
  }

  /// MS_SLAVE, MS_PRIVATE and MS_SHARED of mount(2).
  public enum Propagation: Hashable, Sendable {
    case slave, `private`, shared
  }

  /// A kind of file that mknod(2) makes.
  public enum Node: Hashable, Sendable {
    case file, fifo, socket
    case character(major: UInt32, minor: UInt32)
    case block(major: UInt32, minor: UInt32)
  }
}

extension Step: CustomStringConvertible {
  /// What the step does. An error message appends `: ` and the text of an errno.
  public var description: String {
    switch self {
    case .newSession: "starting a session"
    case .newKeyring: "making a session keyring"
    case .awaitPlacement: "waiting for the guest's cgroup"
    case .newCgroupNamespace: "making a cgroup namespace"
    case .enter(.network, _): "entering the guest's network namespace"
    case .actAsRoot(let user, _): "making files as the guest's root, user \(user)"
    case .cross: "making PID 1 in the guest's user namespace"
    case .unpin: "unmounting the host's proc"
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
    case .detach(let path): "unmounting \(path)"
    case .mask(let path, _): "hiding \(path)"
    case .switchRoot(let staging): "switching the root to \(staging)"
    case .pivotRoot(let new, _): "switching the root to \(new)"
    case .makeDirectory(let path, _): "making the directory \(path)"
    case .makeLink(let path, let target), .replaceLink(let path, let target, _): "linking \(path) to \(target)"
    case .makeNode(_, let path, _): "making the node \(path)"
    case .writeFile(let path, _, _), .replaceFile(let path, _, _, _, _): "writing \(path)"
    case .remove(let path): "removing \(path)"
    case .setHostname(let name): "setting the host name \(name)"
    case .setSysctl(let path, let text, _): "setting \(path) to \(text)"
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
    case .noNewPrivileges: "setting no_new_privs"
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
