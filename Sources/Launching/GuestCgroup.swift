import CLaunch
import Glibc
import Linux

/// The cgroup of a guest's instance, `BASE/NAME.NUMBER.guest`: how the daemon holds all of a guest's processes, and finds them after a crash.
///
/// What is decided about the guest from outside (limits, devices, freezing, killing) is decided there, and the cgroup stays the
/// daemon's. The guest's processes live in `payload` below it, which is the guest's own to divide up and the root of what it
/// sees of the tree.
public final class GuestCgroup {
  /// The instance's name.
  public let name: InstanceName
  /// The directory in the file system.
  public let path: String
  /// The directory, opened.
  let directory: OwnedFD
  // Opened before anything runs: to end a guest, and to see its end, no descriptor has to be had then.
  private let events: Cgroup2.Events
  private let killer: OwnedFD
  private let freezer: OwnedFD
  // Only where the guest has the memory controller.
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
    // Nothing is removed where processes are: cgroups that a running guest has empty belong to it all the same.
    if try Cgroup2.isPopulated(path) { throw SystemError("rmdir \(path)", errno: EBUSY) }
    try Cgroup2.remove(path)
  }

  /// Makes the cgroup anew, with its payload; one that is left over without processes is removed first.
  ///
  /// The guest gets those of the `controllers` that are there: its `payload` offers them, and its limits can be set.
  ///
  /// - Throws: `SystemError`; `EBUSY` when processes are in it.
  public convenience init(
    making name: InstanceName, in base: String, controllers: [String] = []
  ) throws(SystemError) {
    let path = "\(base)/\(name.cgroup)"
    if mkdir(path, 0o755) == -1 {
      guard errno == EEXIST else { throw SystemError("mkdir \(path)", errno: errno) }
      try Self.removeEnded(path)
      try retrying("mkdir \(path)") { mkdir(path, 0o755) }
    }
    do throws(SystemError) {
      try Cgroup2.enable(controllers, in: path)
      try retrying("mkdir \(Self.payload(path))") { mkdir(Self.payload(path), 0o755) }
      try self.init(name, path: path)
    } catch {
      // Nothing is left, where there is perhaps no room for more.
      rmdir(Self.payload(path))
      rmdir(path)
      throw error
    }
  }

  /// Where PID 1 of the guest is born.
  private static func payload(_ path: String) -> String { path + "/payload" }
  var payloadPath: String { Self.payload(path) }

  /// Opens the cgroup that PID 1 is to be born in, for CLONE_INTO_CGROUP.
  ///
  /// - Throws: `SystemError`; `ENOENT` when it is gone.
  func openPayload() throws(SystemError) -> OwnedFD { try Cgroup2.open(Self.payload(path), O_RDONLY | O_DIRECTORY) }

  /// Gives the payload to the guest's root, by its numbers on the host: the directory, and of its files those that the kernel names
  /// for it (cgroups(7), "Delegation of a hierarchy"). The cgroup above, with the limits, stays the daemon's.
  ///
  /// - Throws: `SystemError` of lchown(2).
  public func delegate(toUser user: UInt32, group: UInt32) throws(SystemError) {
    for name in [""] + Cgroup2.delegatedFiles {
      let file = name.isEmpty ? Self.payload(path) : "\(Self.payload(path))/\(name)"
      // Some are a controller's, which is perhaps not there.
      if lchown(file, user, group) == -1 && (name.isEmpty || errno != ENOENT) {
        throw SystemError("chown \(file)", errno: errno)
      }
    }
  }

  /// Opens the cgroup of a guest that is running, or has left it over.
  ///
  /// - Throws: `SystemError`; `ENOENT` when there is none, `EBUSY` when it is a living daemon's.
  public convenience init(existing name: InstanceName, in base: String) throws(SystemError) {
    try self.init(name, path: "\(base)/\(name.cgroup)")
  }

  private init(_ name: InstanceName, path: String) throws(SystemError) {
    let directory = try Cgroup2.open(path)
    let events = Cgroup2.Events(try Cgroup2.open(path + "/cgroup.events"))
    let killer = try Cgroup2.open(path + "/cgroup.kill", O_WRONLY)
    let freezer = try Cgroup2.open(path + "/cgroup.freeze", O_WRONLY)
    // Two daemons may live in one cgroup, each with a runtime directory of its own.
    if try !lockForProcess(killer) { throw SystemError("lock \(path)", errno: EBUSY) }
    self.directory = directory
    self.events = events
    self.killer = killer
    self.freezer = freezer
    memoryEvents = try? Cgroup2.Counters(path + "/memory.events")
    self.path = path
    self.name = name
  }

  /// All processes of the guest, those that have ended and are not reaped among them.
  ///
  /// - Throws: `SystemError` when the cgroup is gone.
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

  /// The guest's PID 1: the process whose number in its own pid namespace is 1. nil when it has none (any more).
  ///
  /// - Throws: `SystemError`; `ENOENT` or `ENODEV` when the cgroup is gone.
  public func leader() throws(SystemError) -> Int32? { try process(numbered: 1) }

  /// The guest's program where its PID 1 is the small init of `ProcessTwo=`. nil when it has ended.
  ///
  /// - Throws: `SystemError`; `ENOENT` or `ENODEV` when the cgroup is gone.
  func payload() throws(SystemError) -> Int32? { try process(numbered: Int32(LAUNCH_PAYLOAD)) }

  private func process(numbered number: Int32) throws(SystemError) -> Int32? {
    let own = try Self.numbers(ofProcess: getpid())?.count ?? 1
    // A guest may have pid namespaces of its own, with the same numbers in each: the guest's own lies one below the daemon's.
    for pid in try processes() {
      if let numbers = try Self.numbers(ofProcess: pid), numbers.count == own + 1, numbers.last == number { return pid }
    }
    return nil
  }

  /// Whether processes are in it; none are when the cgroup is gone.
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

  /// Polls as POLLPRI when `isPopulated()` may have changed since it was last asked; borrowed.
  public var changes: OwnedFD { _read { yield events.descriptor } }

  /// How many of its processes the kernel has killed for want of memory; nil where it has no memory controller.
  public var memoryKills: Int? { (try? memoryEvents?.values())?["oom_kill"] }

  /// Calls `use` with a descriptor that polls as POLLPRI when `memoryKills` may have changed; borrowed.
  public func withMemoryChanges(_ use: (borrowing OwnedFD) throws(SystemError) -> Void) throws(SystemError) {
    if let memoryEvents { try use(memoryEvents.descriptor) }
  }

  /// Kills every process in it (`cgroup.kill`), also those that are just being made, also when it is frozen. A cgroup that is gone
  /// has none.
  ///
  /// - Throws: `SystemError` of write(2).
  public func kill() throws(SystemError) {
    do throws(SystemError) {
      try Cgroup2.write("1", to: killer, path + "/cgroup.kill")
    } catch {
      if error.errno != ENODEV { throw error }
    }
  }

  /// Tells every process in it to stand still, or to go on; standing still takes them a moment (`isFrozen`, `changes`).
  ///
  /// - Throws: `SystemError` of write(2); `ENODEV` when it is gone.
  public func setFrozen(_ frozen: Bool) throws(SystemError) {
    try Cgroup2.write(frozen ? "1" : "0", to: freezer, path + "/cgroup.freeze")
  }

  /// Whether all of them stand still.
  ///
  /// - Throws: `SystemError` of pread(2); `ENODEV` when it is gone.
  public func isFrozen() throws(SystemError) -> Bool { try events.isFrozen() }

  /// Removes the cgroup and those below it; one that is gone is no error.
  ///
  /// - Throws: `SystemError`; `EBUSY` when processes are in it.
  public func remove() throws(SystemError) {
    // Most guests leave nothing below it; so no descriptor has to be had to find what there is.
    rmdir(Self.payload(path))
    try Cgroup2.remove(path)
  }

  /// `NSpid` of proc_pid_status(5): the number of a process in each of its pid namespaces, from /proc's down. nil when it is gone.
  ///
  /// - Throws: `SystemError` when that cannot be told.
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
