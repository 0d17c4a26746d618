import Glibc
import Linux

/// The cgroup in which the instances of guests have theirs, `NAME.NUMBER.guest`.
public struct CgroupBase: Equatable, Sendable {
  /// The directory in the file system.
  public let path: String
  /// The controllers that guests get, by the kernel's names.
  public private(set) var controllers: [String] = []
  /// Why guests get no controllers.
  public private(set) var obstacle: Obstacle?

  /// Why guests get no controllers, in words that say what would help.
  public enum Obstacle: Equatable, Sendable, CustomStringConvertible {
    /// cgroup 2 has none here: the host is a hybrid one, or whoever has the cgroup above gives none.
    case nothingThere
    /// The cgroup belongs to whoever manages this session.
    case notDelegated(String)
    /// Processes that are not ours are in it.
    case occupied(String)

    public var description: String {
      switch self {
      case .nothingThere:
        "cgroup 2 offers none here (on a hybrid host cgroup 1 has them: boot with systemd.unified_cgroup_hierarchy=1)"
      case .notDelegated(let path): "\(path) is not delegated to dormoused (run it as a service with Delegate=yes)"
      case .occupied(let path): "other processes are in \(path)"
      }
    }
  }

  /// Where systemd puts the daemon (`DelegateSubgroup=`), and the daemon itself where systemd does not.
  private static let supervisor = "supervisor"

  /// Where the guests' cgroups are: the daemon's own cgroup, or its parent when the daemon is in `supervisor`.
  ///
  /// - Throws: `SystemError`; `ENOENT` when no cgroup 2 is mounted.
  public static func find() throws(SystemError) -> CgroupBase {
    let own = try Cgroup2.ownDirectory()
    let end = "/" + supervisor
    return CgroupBase(path: own.hasSuffix(end) ? String(own.dropLast(end.count)) : own)
  }

  /// As `find`, and gets the controllers for the guests: where the cgroup is delegated, this process moves to `supervisor` below it,
  /// because a cgroup that has cgroups with controllers may have no processes.
  ///
  /// - Throws: `SystemError`; `ENOENT` when no cgroup 2 is mounted.
  public static func prepare() throws(SystemError) -> CgroupBase {
    var base = try find()
    let offered = try Cgroup2.controllers(of: base.path)
    if offered.isEmpty {
      base.obstacle = .nothingThere
    } else if Cgroup2.isDelegated(base.path) != true {
      base.obstacle = .notDelegated(base.path)
    } else {
      try base.takeControllers(offered)
    }
    return base
  }

  private init(path: String) { self.path = path }

  private mutating func takeControllers(_ offered: [String]) throws(SystemError) {
    if try Cgroup2.ownDirectory() == path { try moveToSupervisor() }
    do throws(SystemError) {
      try Cgroup2.enable(offered, in: path)
    } catch {
      guard error.errno == EBUSY else { throw error }
      obstacle = .occupied(path)
    }
    controllers = try Cgroup2.controllers(below: path)
  }

  private func moveToSupervisor() throws(SystemError) {
    let directory = "\(path)/\(Self.supervisor)"
    if mkdir(directory, 0o755) == -1 && errno != EEXIST { throw SystemError("mkdir \(directory)", errno: errno) }
    let processes = directory + "/cgroup.procs"
    try Cgroup2.write("\(getpid())", to: Cgroup2.open(processes, O_WRONLY), processes)
  }
}
