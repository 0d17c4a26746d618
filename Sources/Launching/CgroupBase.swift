import Glibc
import Linux

/// The cgroup in which the instances of guests have theirs, `NAME.NUMBER.guest`.
public struct CgroupBase: Equatable, Sendable {
  /// The directory in the file system.
  public let path: String
  /// The names of the controllers that guests get.
  public private(set) var controllers: [String] = []
  /// Why guests get no controllers.
  public private(set) var obstacle: Obstacle?

  /// Why guests get no controllers. The description says what would help.
  public enum Obstacle: Equatable, Sendable, CustomStringConvertible {
    /// cgroup 2 offers none: the host is a hybrid one, or the cgroup above enables none.
    case nothingThere
    /// The cgroup is not delegated to the daemon.
    case notDelegated(String)
    /// Other processes are in the cgroup.
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

  /// The cgroup that the daemon lives in. systemd puts it there (`DelegateSubgroup=`); where it does not, the daemon moves itself.
  private static let supervisor = "supervisor"

  /// Finds the cgroup that the guests' cgroups lie in: the daemon's own, or its parent if the daemon is in `supervisor`.
  ///
  /// - Throws: `SystemError`; `ENOENT` when no cgroup 2 is mounted.
  public static func find() throws(SystemError) -> CgroupBase {
    let own = try Cgroup2.ownDirectory()
    let end = "/" + supervisor
    return CgroupBase(path: own.hasSuffix(end) ? String(own.dropLast(end.count)) : own)
  }

  /// As `find`, and enables the controllers for the guests. Where the cgroup is delegated, this process moves to `supervisor` below it: a
  /// cgroup that enables controllers for cgroups below it may have no processes ("no internal processes", cgroups(7)).
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
    try Cgroup2.move(getpid(), to: directory)
  }
}
