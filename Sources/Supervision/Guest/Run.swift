import Launching
import Linux
import Systemd

/// One life of a guest's PID 1, with everything of the daemon's that ends with it: process, cgroup, console, notify socket.
final class Run {
  let process: GuestProcess
  let cgroup: GuestCgroup
  /// When PID 1 was made.
  let since = Clocks.monotonic
  /// Whether the kernel keeps the guest from devices that are not its own.
  var hasDevicePolicy = true
  /// The sources of `Bind=:/path`.
  var scratch: ScratchDirectory?
  private let notify: NotifySocket?
  private var console: Console?
  /// cgroup.events, once PID 1 is gone and others of its cgroup are not.
  private var cgroupEvents: Cgroup2.Events?
  private var sources: [EventSource] = []

  /// What a run tells its supervisor.
  struct Handlers {
    var said: (NotifyMessage) -> Void
    /// PID 1 and everything in its cgroup are gone.
    var ended: (ExitStatus) -> Void
    /// The end could not be brought about or watched.
    var failed: (SystemError) -> Void
  }

  /// Without `notify` for a guest that an earlier daemon left running: what it says is lost, like its console.
  init(process: GuestProcess, cgroup: GuestCgroup, notify: NotifySocket?) {
    self.process = process
    self.cgroup = cgroup
    self.notify = notify
    switch process.takeConsole() {
    case .some(let master): console = Console(master: master)
    case .none: break
    }
  }

  deinit { stopWatching() }

  /// How many messages on the notify socket were not from the guest's PID 1.
  var refusedMessages: Int { notify?.refused ?? 0 }

  /// The end of what the guest printed.
  var consoleText: String { console?.text.text ?? "" }

  /// Watches for the end of PID 1, for what it says, and for what it prints.
  ///
  /// - Throws: `SystemError` when epoll refuses.
  func watch(_ loop: EventLoop, _ handlers: Handlers) throws(SystemError) {
    sources.append(
      try loop.watch(process.pidfd, for: .readable, priority: .first) { [unowned self] _ in reap(loop, handlers) })
    if let notify {
      sources.append(try loop.watch(notify.descriptor, for: .readable) { [unowned self] _ in listen(handlers) })
    }
    try console?.watch(loop)
  }

  private func listen(_ handlers: Handlers) {
    guard let notify else { return }
    do throws(SystemError) {
      for message in try notify.receive(from: process.pid, pidfd: process.pidfd) { handlers.said(message) }
    } catch {
      handlers.failed(error)
    }
  }

  private func reap(_ loop: EventLoop, _ handlers: Handlers) {
    do throws(SystemError) {
      // What it said and printed last is older than its end; the process must not be waited for before the socket is read.
      listen(handlers)
      console?.drain()
      guard let status = try process.reap() else { return }
      stopWatching()
      try endRest(loop, status, handlers)
    } catch {
      handlers.failed(error)
    }
  }

  /// Ends whatever is still in the cgroup (somebody may have entered it from outside) and removes it.
  private func endRest(_ loop: EventLoop, _ status: ExitStatus, _ handlers: Handlers) throws(SystemError) {
    if try !cgroup.isPopulated() { return try finish(status, handlers) }
    let events = Cgroup2.Events(try cgroup.openEvents())
    sources.append(
      try loop.watch(events.descriptor, for: .priority, priority: .first) { [unowned self] _ in
        emptied(status, handlers)
      })
    cgroupEvents = events
    try cgroup.kill()
  }

  private func emptied(_ status: ExitStatus, _ handlers: Handlers) {
    do throws(SystemError) {
      // Read by the watched descriptor itself: until that is done it stays readable.
      if try cgroupEvents?.isPopulated() == false { try finish(status, handlers) }
    } catch {
      handlers.failed(error)
    }
  }

  private func finish(_ status: ExitStatus, _ handlers: Handlers) throws(SystemError) {
    stopWatching()
    try cgroup.remove()
    handlers.ended(status)
  }

  private func stopWatching() {
    for source in sources { source.cancel() }
    sources = []
    console?.stopWatching()
  }
}
