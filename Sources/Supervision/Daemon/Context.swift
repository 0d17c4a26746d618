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
  /// Opened once: a scan needs no descriptor when there is none left.
  let sockDiag: SockDiag
  let store: SocketStore
  /// Another daemon may follow this one, which ends: the sockets stay where it finds them.
  var leavesSockets = false

  /// Uses the loop for timers where no others are given.
  ///
  /// - Throws: `SystemError` when the kernel has no sock_diag(7).
  init(
    loop: EventLoop, timers: (any Timers)? = nil, log: Log, backend: any Backend, serviceManager: ServiceManager
  ) throws(SystemError) {
    sockDiag = try SockDiag()
    self.loop = loop
    self.timers = timers ?? loop
    self.log = log
    self.backend = backend
    store = SocketStore(serviceManager, loop) { log.write(.cannotStore(error: "\($0)")) }
    endedConnections = EndedConnections(loop: loop)
  }
}
