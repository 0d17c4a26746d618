import Linux
import Listeners
import Systemd

/// What every supervisor of this daemon shares. Used on the loop's thread only.
final class Context {
  let loop: EventLoop
  /// The loop, or a test's own clock.
  let timers: any Timers
  let log: Log
  let backend: any Backend
  let endedConnections: EndedConnections
  /// Open all the time, so that a scan works when no descriptor is left.
  let sockDiag: SockDiag
  let store: SocketStore
  /// Limits how many guests start at the same time.
  let places: StartPlaces
  /// nil when the service manager does not watch this daemon.
  let watchdog: Watchdog?
  /// Waits, beside the loop, for packets that the kernel is delivering. Nil: the loop itself waits for them.
  let barrier: LookupBarrier?
  /// Asks guests about their units. Nil: no guest is asked.
  let asker: (any Asker)?
  /// This daemon ends, and the next one may take over its sockets from the service manager's store: they stay as they are.
  var leavesSockets = false

  /// Uses the loop for timers where no others are given.
  ///
  /// - Throws: `SystemError` when the kernel has no sock_diag(7).
  init(
    loop: EventLoop, timers: (any Timers)? = nil, log: Log, backend: any Backend, serviceManager: ServiceManager,
    startLimit: Int, asker: (any Asker)? = nil, hasBarrier: Bool = false
  ) throws(SystemError) {
    sockDiag = try SockDiag()
    barrier = hasBarrier ? try LookupBarrier(loop) : nil
    self.loop = loop
    self.timers = timers ?? loop
    self.log = log
    self.backend = backend
    self.asker = asker
    store = SocketStore(serviceManager, loop) { log.write(.cannotStore(error: "\($0)")) }
    endedConnections = EndedConnections(loop: loop)
    watchdog = Watchdog(serviceManager, self.timers)
    places = StartPlaces(limit: startLimit, self.timers)
  }
}
