import CLaunch
import Glibc
import GuestSpec
import Linux

/// The cgroup of an instance, `BASE/NAME.NUMBER.guest`. It holds all processes of the guest, and the next daemon finds them by it if this
/// one dies. BASE is the cgroup of the instance's scope, or that of the daemon's service where there is none.
///
/// Limits, device policy, freezing and killing act on this cgroup, which stays the daemon's. The guest's processes live in `payload` below
/// it, which is delegated to the guest and is the root of its cgroup namespace.
public final class GuestCgroup {
  /// The instance's name.
  public let name: InstanceName
  /// The directory in the file system.
  public let path: String
  /// The directory, opened.
  let directory: OwnedFD
  // Opened before the guest runs, so that killing it and watching its end work even when no descriptor is left.
  private let events: Cgroup2.Events
  private let killer: OwnedFD
  private let freezer: OwnedFD
  // nil where the guest has no memory controller.
  private let memoryEvents: Cgroup2.Counters?

  /// The instances that have a cgroup in `base`, running or not.
  ///
  /// - Throws: `SystemError` when `base` cannot be listed.
  public static func instances(in base: String) throws(SystemError) -> [InstanceName] {
    try directoryEntries(base).compactMap { InstanceName(cgroup: $0) }.sorted()
  }

  /// Removes the cgroups in `base` that ended instances of a guest left behind.
  ///
  /// - Throws: `SystemError`; `EBUSY` when processes are in one.
  public static func removeEnded(of guest: String, in base: String) throws(SystemError) {
    for name in try instances(in: base) where name.guest == guest { try removeEnded("\(base)/\(name.cgroup)") }
  }

  private static func removeEnded(_ path: String) throws(SystemError) {
    // Removes nothing while processes are in it: the empty cgroups below belong to the running guest.
    if try Cgroup2.isPopulated(path) { throw SystemError("rmdir \(path)", errno: EBUSY) }
    try Cgroup2.remove(path)
  }

  /// Makes the cgroup and its payload. A cgroup of that name that exists without processes is removed first.
  ///
  /// Enables those of the `controllers` that exist: `payload` offers them to the guest, and its limits can be set.
  ///
  /// Moves `process`, which must be the only one in `base`, to the payload. Otherwise no controller could be enabled in `base`: a cgroup
  /// that enables controllers for its children may have no processes ("no internal processes", cgroups(7)).
  ///
  /// - Throws: `SystemError`; `EBUSY` when processes are in it.
  public convenience init(
    making name: InstanceName, in base: String, controllers: [String] = [], moving process: Int32? = nil
  ) throws(SystemError) {
    let path = "\(base)/\(name.cgroup)"
    if mkdir(path, 0o755) == -1 {
      guard errno == EEXIST else { throw SystemError("mkdir \(path)", errno: errno) }
      try Self.removeEnded(path)
      try retrying("mkdir \(path)") { mkdir(path, 0o755) }
    }
    do throws(SystemError) {
      try Self.boundTree(path)
      try retrying("mkdir \(Self.payload(path))") { mkdir(Self.payload(path), 0o755) }
      if let process {
        try Cgroup2.move(process, to: Self.payload(path))
        try Cgroup2.enable(controllers, in: base)
      }
      try Cgroup2.enable(controllers, in: path)
      try self.init(name, path: path)
    } catch {
      // Leave nothing behind: cgroup.max.descendants may be what failed.
      rmdir(Self.payload(path))
      rmdir(path)
      throw error
    }
  }

  /// Limits the cgroups that the guest can make. To freeze, remove or list them takes time in proportion to their number, and the daemon
  /// does nothing else meanwhile.
  private static func boundTree(_ path: String) throws(SystemError) {
    for (name, most) in [("cgroup.max.descendants", mostBelow), ("cgroup.max.depth", deepest)] {
      let file = "\(path)/\(name)"
      try Cgroup2.write("\(most)", to: Cgroup2.open(file, O_WRONLY), file)
    }
  }

  /// How many cgroups may be below it, the payload included. A Debian guest has about 30.
  static let mostBelow = 1000
  /// How many levels of them there may be. systemd nests its own six deep.
  static let deepest = 16

  /// The cgroup that PID 1 of the guest is made in.
  private static func payload(_ path: String) -> String { path + "/payload" }
  var payloadPath: String { Self.payload(path) }

  /// Opens the payload for CLONE_INTO_CGROUP.
  ///
  /// - Throws: `SystemError`; `ENOENT` when it has been removed.
  func openPayload() throws(SystemError) -> OwnedFD { try Cgroup2.open(Self.payload(path), O_RDONLY | O_DIRECTORY) }

  /// Delegates the payload to the guest's root user, whose IDs on the host are given: the directory, and those of its files that the kernel
  /// lists as delegatable (cgroups(7), "Cgroups delegation"). The cgroup above, with the limits, stays the daemon's.
  ///
  /// - Throws: `SystemError` of lchown(2).
  public func delegate(toUser user: UInt32, group: UInt32) throws(SystemError) {
    for name in [""] + Cgroup2.delegatedFiles {
      let file = name.isEmpty ? Self.payload(path) : "\(Self.payload(path))/\(name)"
      // A controller's file is missing where the controller is.
      if lchown(file, user, group) == -1 && (name.isEmpty || errno != ENOENT) {
        throw SystemError("chown \(file)", errno: errno)
      }
    }
  }

  /// Opens the existing cgroup of an instance.
  ///
  /// - Throws: `SystemError`; `ENOENT` when there is none, `EBUSY` when another daemon that runs has it.
  public convenience init(existing name: InstanceName, in base: String) throws(SystemError) {
    try self.init(name, path: "\(base)/\(name.cgroup)")
  }

  private init(_ name: InstanceName, path: String) throws(SystemError) {
    let directory = try Cgroup2.open(path)
    let events = Cgroup2.Events(try Cgroup2.open(path + "/cgroup.events"))
    let killer = try Cgroup2.open(path + "/cgroup.kill", O_WRONLY)
    let freezer = try Cgroup2.open(path + "/cgroup.freeze", O_WRONLY)
    // Two daemons may share a cgroup, each with a runtime directory of its own. The lock says whose the guest is.
    if try !lockForProcess(killer) { throw SystemError("lock \(path)", errno: EBUSY) }
    self.directory = directory
    self.events = events
    self.killer = killer
    self.freezer = freezer
    memoryEvents = try? Cgroup2.Counters(path + "/memory.events")
    self.path = path
    self.name = name
  }

  /// All processes of the guest, zombies included.
  ///
  /// - Throws: `SystemError` when the cgroup has been removed.
  public func processes() throws(SystemError) -> [Int32] {
    var found: [Int32] = []
    for group in try Cgroup2.tree(path) {
      do throws(SystemError) {
        found += try Cgroup2.processes(group)
      } catch {
        // ENODEV: removed between open(2) and read(2).
        if group == path || (error.errno != ENOENT && error.errno != ENODEV) { throw error }
      }
    }
    return found
  }

  /// Finds the guest's PID 1: the process whose PID is 1 in the guest's PID namespace.
  ///
  /// - Returns: nil when there is none.
  /// - Throws: `SystemError`; `ENOENT` or `ENODEV` when the cgroup has been removed.
  public func leader() throws(SystemError) -> Int32? { try process(numbered: 1) }

  /// Finds the payload of a guest whose PID 1 is the small init of `ProcessTwo=`.
  ///
  /// - Returns: nil when it has ended.
  /// - Throws: `SystemError`; `ENOENT` or `ENODEV` when the cgroup has been removed.
  func payload() throws(SystemError) -> Int32? { try process(numbered: Int32(LAUNCH_PAYLOAD)) }

  private func process(numbered number: Int32) throws(SystemError) -> Int32? {
    let own = try Self.numbers(ofProcess: getpid())?.count ?? 1
    // Containers inside the guest have PID namespaces too, with the same PIDs. The guest's namespace is one level below the daemon's.
    for pid in try processes() {
      if let numbers = try Self.numbers(ofProcess: pid), numbers.count == own + 1, numbers.last == number { return pid }
    }
    return nil
  }

  /// Whether processes are in the cgroup. A removed cgroup has none.
  ///
  /// - Throws: `SystemError` of pread(2).
  public func isPopulated() throws(SystemError) -> Bool {
    do throws(SystemError) {
      return try events.isPopulated()
    } catch {
      if error.errno == ENODEV { return false }
      throw error
    }
  }

  /// Polls as POLLPRI when `isPopulated()` or `isFrozen()` may have changed since the last call; borrowed.
  public var changes: OwnedFD { _read { yield events.descriptor } }

  /// How many of its processes the OOM killer has killed; nil where it has no memory controller.
  public var memoryKills: Int? { (try? memoryEvents?.values())?["oom_kill"] }

  /// Calls `use` with a descriptor that polls as POLLPRI when `memoryKills` may have changed; borrowed.
  public func withMemoryChanges(_ use: (borrowing OwnedFD) throws(SystemError) -> Void) throws(SystemError) {
    if let memoryEvents { try use(memoryEvents.descriptor) }
  }

  /// Kills every process in it (`cgroup.kill`): those that are being forked and those that are frozen as well. A removed cgroup has none.
  ///
  /// - Throws: `SystemError` of write(2).
  public func kill() throws(SystemError) {
    do throws(SystemError) {
      try Cgroup2.write("1", to: killer, path + "/cgroup.kill")
    } catch {
      if error.errno != ENODEV { throw error }
    }
  }

  /// Freezes or thaws every process in it. Freezing takes a moment (`isFrozen`, `changes`).
  ///
  /// - Throws: `SystemError` of write(2); `ENODEV` when the cgroup has been removed.
  public func setFrozen(_ frozen: Bool) throws(SystemError) {
    try Cgroup2.write(frozen ? "1" : "0", to: freezer, path + "/cgroup.freeze")
  }

  /// Whether all of them are frozen.
  ///
  /// - Throws: `SystemError` of pread(2); `ENODEV` when the cgroup has been removed.
  public func isFrozen() throws(SystemError) -> Bool { try events.isFrozen() }

  /// Removes the cgroup and those below it. A cgroup that has been removed already is no error.
  ///
  /// - Throws: `SystemError`; `EBUSY` when processes are in it.
  public func remove() throws(SystemError) {
    // Most guests leave nothing below the payload. Removing it first works even when no descriptor is left to list cgroups.
    rmdir(Self.payload(path))
    try Cgroup2.remove(path)
  }

  /// Reads `NSpid` of proc_pid_status(5): the PID of a process in each of its PID namespaces, from /proc's downwards.
  ///
  /// - Returns: nil when the process has ended.
  /// - Throws: `SystemError` when the file cannot be read.
  private static func numbers(ofProcess pid: Int32) throws(SystemError) -> [Int32]? {
    do throws(SystemError) {
      let status = String(decoding: try readFile("/proc/\(pid)/status", limit: 64 << 10), as: UTF8.self)
      let line = status.split(separator: "\n").first { $0.hasPrefix("NSpid:") }
      return line?.dropFirst("NSpid:".count).split(whereSeparator: { $0 == "\t" || $0 == " " }).compactMap { Int32($0) }
    } catch {
      if error.errno == ENOENT || error.errno == ESRCH { return nil }
      throw error
    }
  }
}
