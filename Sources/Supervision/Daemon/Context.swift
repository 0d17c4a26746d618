import Launching
import Linux
import Listeners
import Systemd

/// What every supervisor of this daemon shares. Used on the loop's thread only.
final class Context {
  let loop: EventLoop
  let log: Log
  /// `--runtime`: an existing directory.
  let runtime: String
  /// The cgroup below which guests get theirs.
  let cgroupBase: CgroupBase
  let endedConnections: EndedConnections
  /// Opened once, so that looking at connections needs no descriptor when there is none left.
  let sockDiag: SockDiag
  let machineIDs = MachineIDs()
  let userRanges = UserRanges()
  let machines: Machines
  let sweeper: Sweeper
  let store: SocketStore
  /// Another daemon may follow this one, which ends: sockets stay where it finds them.
  var leavesSockets = false

  /// - Throws: `SystemError` when the kernel has no sock_diag(7).
  init(
    loop: EventLoop, log: Log, runtime: String, cgroupBase: CgroupBase, serviceManager: ServiceManager
  ) throws(SystemError) {
    sockDiag = try SockDiag()
    self.loop = loop
    self.log = log
    self.runtime = runtime
    self.cgroupBase = cgroupBase
    machines = Machines(loop)
    sweeper = Sweeper(loop, runtime: runtime)
    store = SocketStore(serviceManager, loop) { log.write(.cannotStore(error: "\($0)")) }
    endedConnections = EndedConnections(loop: loop)
  }

  /// Where each child mounts its guest's root, in a mount namespace of its own: one directory serves all.
  var staging: String { "\(runtime)/root" }

  /// Where the record of an instance's network is.
  func network(of instance: InstanceName) -> GuestNetwork.Place { GuestNetwork.Place(instance, runtime: runtime) }

  func notifySocket(of instance: InstanceName) -> String { instance.path(of: .notifySocket, in: runtime) }
}
