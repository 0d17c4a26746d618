import Glibc
import GuestSpec
import Launching
import Linux
import Planning
import Systemd

/// One life of a guest's PID 1, with everything of the daemon's that ends with it: process, cgroup, console, notify socket.
final class Run {
  let process: GuestProcess
  let cgroup: GuestCgroup
  /// When PID 1 was made.
  let since = Clocks.monotonic
  /// Whether the kernel keeps the guest from devices that are not its own.
  var hasDevicePolicy = true
  /// The limits that cannot be kept here.
  var unmetLimits: [CgroupLimit] = []
  /// What of the guest's file is not carried out in it.
  var notes: [PlanNote] = []
  /// Its ids on the host; nil when they are the host's own.
  var users: UserRanges.Claim?
  /// Why it has the host's users without having asked for them.
  var withoutUsersBecause: String?
  /// nil for a guest that an earlier daemon left running.
  var machineID: MachineIDs.Claim?
  /// It was said that its memory cannot be pushed out.
  var keepsMemory = false
  /// What of the host belongs to its network.
  var network: GuestNetwork?
  private var forwarding: PortForwarding?
  /// From `watch` on.
  private(set) var freezer: Freezer?
  private var host: HostSide?
  private let notify: NotifySocket?
  /// The instance's name.
  var name: InstanceName { cgroup.name }
  /// The console first; none for a guest that an earlier daemon left running.
  private(set) var consoles: [Console] = []
  private var sources: [EventSource] = []
  private var knownMemoryKills = 0
  /// It has been ended by SIGKILL.
  private(set) var isKilled = false

  /// What a run tells its supervisor.
  struct Handlers {
    var said: (NotifyMessage) -> Void
    /// The kernel killed processes of the guest for want of memory: how many since the last time.
    var outOfMemory: (Int) -> Void
    /// PID 1 and everything in its cgroup are gone.
    var ended: (ExitStatus) -> Void
    /// The end could not be brought about, watched or cleared up after.
    var failed: (any Error) -> Void
  }

  /// Without `notify` for a guest that an earlier daemon left running: what it says is lost, like its console.
  init(process: GuestProcess, cgroup: GuestCgroup, host: HostSide, notify: NotifySocket?) {
    self.process = process
    self.cgroup = cgroup
    self.host = host
    self.notify = notify
    switch process.takeConsole() {
    case .some(let master): consoles.append(Console(master: master))
    case .none: break
    }
    while let master = process.terminals.takeFirst() { consoles.append(Console(master: master)) }
  }

  deinit { stopWatching() }

  /// How many messages on the notify socket were not from the guest's PID 1.
  var refusedMessages: Int { notify?.refused ?? 0 }

  /// The end of what the guest printed.
  var consoleText: String { consoles.first?.text.text ?? "" }

  /// Whether somebody is attached to one of its terminals.
  var isAttended: Bool { consoles.contains { $0.isAttended } }

  /// Watches for the end of PID 1, for what it says, and for what it prints.
  ///
  /// - Throws: `SystemError` when epoll refuses.
  func watch(_ loop: EventLoop, _ handlers: Handlers) throws(SystemError) {
    sources.append(
      try loop.watch(process.pidfd, for: .readable, priority: .first) { [unowned self] _ in reap(loop, handlers) })
    if let notify {
      sources.append(try loop.watch(notify.descriptor, for: .readable) { [unowned self] _ in listen(handlers) })
    }
    try watchMemory(loop, handlers)
    for console in consoles { try console.watch(loop) }
    freezer = Freezer(cgroup, loop: loop)
  }

  private func watchMemory(_ loop: EventLoop, _ handlers: Handlers) throws(SystemError) {
    try cgroup.withMemoryChanges { changes throws(SystemError) in
      sources.append(try loop.watch(changes, for: .priority) { [unowned self] _ in countMemoryKills(handlers) })
    }
  }

  private func countMemoryKills(_ handlers: Handlers) {
    guard let kills = cgroup.memoryKills, kills > knownMemoryKills else { return }
    handlers.outOfMemory(kills - knownMemoryKills)
    knownMemoryKills = kills
  }

  /// Begins to make `Port=` lead to the guest, when there is such.
  ///
  /// - Throws: `SystemError`.
  func forwardPorts(
    of guest: String, _ loop: EventLoop, _ report: @escaping (PortForwarding.Report) -> Void
  ) throws(SystemError) {
    guard let network, !network.ports.isEmpty else { return }
    let forwarding = try PortForwarding(network, of: guest)
    try forwarding.begin(loop, report)
    self.forwarding = forwarding
  }

  private func listen(_ handlers: Handlers, atMost limit: Int = NotifySocket.batch) {
    guard let notify else { return }
    do throws(SystemError) {
      let messages = try notify.receive(
        from: process.payloadPID, pidfd: process.payloadPidfd, atMost: limit)
      for message in messages { handlers.said(message) }
    } catch {
      handlers.failed(error)
    }
  }

  private func reap(_ loop: EventLoop, _ handlers: Handlers) {
    do throws(SystemError) {
      // What it said and printed last is older than its end; the process must not be waited for before the socket is read.
      listen(handlers, atMost: NotifySocket.queue)
      for console in consoles { console.drainAll() }
      countMemoryKills(handlers)
      guard let status = try process.reap() else { return }
      stopWatching()
      endRest(loop, status, handlers)
    } catch {
      handlers.failed(error)
    }
  }

  /// Ends everything of the guest, at once.
  ///
  /// - Throws: `SystemError` when what is in the cgroup cannot be killed.
  func kill() throws(SystemError) {
    // PID 1 by itself too: somebody may have moved it out of the cgroup. ESRCH says that it has ended already.
    try? process.signal(.number(SIGKILL))
    try cgroup.kill()
    isKilled = true
  }

  /// Ends whatever is still in the cgroup (somebody may have entered it from outside) and removes it.
  private func endRest(_ loop: EventLoop, _ status: ExitStatus, _ handlers: Handlers) {
    do throws(SystemError) {
      if try cgroup.isPopulated() {
        sources.append(
          try loop.watch(cgroup.changes, for: .priority, priority: .first) { [unowned self] _ in
            emptied(status, handlers)
          })
        return try cgroup.kill()
      }
    } catch {
      // What cannot be ended or watched is not waited for either: the next start does not begin before the cgroup is empty.
      handlers.failed(error)
    }
    finish(status, handlers)
  }

  private func emptied(_ status: ExitStatus, _ handlers: Handlers) {
    do throws(SystemError) {
      if try cgroup.isPopulated() { return }
    } catch {
      handlers.failed(error)
    }
    finish(status, handlers)
  }

  private func finish(_ status: ExitStatus, _ handlers: Handlers) {
    stopWatching()
    // Before anybody hears of the end, and starts the next run, which has its own notify socket at the same path.
    notify?.removePath()
    host = nil
    machineID = nil
    for problem in network?.end() ?? [] { handlers.failed(problem) }
    network = nil
    users = nil
    do throws(SystemError) {
      try cgroup.remove()
    } catch {
      // Nothing runs in it, so the guest is gone all the same; the next start has to remove it first.
      handlers.failed(error)
    }
    handlers.ended(status)
  }

  private func stopWatching() {
    for source in sources { source.cancel() }
    sources = []
    freezer?.stop()
    for console in consoles { console.stopWatching() }
    forwarding = nil
  }
}
