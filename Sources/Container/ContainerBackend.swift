import GuestSpec
import Launching
import Linux
import Supervision
import Systemd

/// Runs guests as containers of this host: cgroup 2, namespaces, and what both leave on the host.
package final class ContainerBackend: Backend {
  let loop: EventLoop
  /// `--runtime`: an existing directory.
  let runtime: String
  /// The cgroup below which instances get theirs.
  let cgroupBase: CgroupBase
  let machineIDs = MachineIDs()
  let userRanges = UserRanges()
  let rootLocks = RootLocks()
  let machines: Machines
  /// Makes a scope for each instance. Nil when systemd is not the host's service manager.
  let scopes: Scopes?
  let sweeper: Sweeper
  /// How much of a file system guests leave free.
  private(set) var spaceFloor = SpaceFloor()

  /// Why guests get no resource controllers; nil when they do.
  package var obstacle: String? { cgroupBase.obstacle?.description }

  /// - Throws: `SystemError` when there is no cgroup 2, or the daemon may not make cgroups in it.
  package init(_ loop: EventLoop, runtime: String) throws(SystemError) {
    self.loop = loop
    self.runtime = runtime
    cgroupBase = try CgroupBase.prepare()
    let bus = HostBus(loop)
    machines = Machines(loop, bus)
    scopes = Scopes(loop, bus)
    sweeper = Sweeper(loop, runtime: runtime)
  }

  package func apply(_ settings: DaemonSettings) { spaceFloor = SpaceFloor(settings.keepFree) }

  package func start(_ start: InstanceStart) throws(StartFailure) -> StartOutcome {
    do throws(StartError) {
      return try GuestStarter(backend: self).start(start)
    } catch {
      throw StartFailure(error.description)
    }
  }

  package func orphans() throws(SystemError) -> any Orphans { try ContainerOrphans(self) }

  package func finish() { sweeper.finish() }

  /// The cgroup of the slice in which scopes are made. It is the slice of the daemon's own unit.
  var slice: String? {
    guard scopes != nil, let end = cgroupBase.path.lastIndex(of: "/") else { return nil }
    return String(cgroupBase.path[..<end])
  }

  /// Where each guest's root is mounted. Each guest has a mount namespace, so one directory serves all.
  var staging: String { "\(runtime)/root" }

  /// Where the record of an instance's network is.
  func network(of instance: InstanceName) -> GuestNetwork.Place { GuestNetwork.Place(instance, runtime: runtime) }

  func notifySocket(of instance: InstanceName) -> String { instance.path(of: .notifySocket, in: runtime) }
}
