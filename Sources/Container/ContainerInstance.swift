import Glibc
import GuestSpec
import Launching
import Linux
import Planning
import Supervision
import Systemd

/// A guest's PID 1 in namespaces and a cgroup of its own, with everything that ends with it: console, notify socket, network, users, mounts
/// and directories on the host.
final class ContainerInstance: Instance {
  let process: GuestProcess
  /// The instance's cgroup. It is replaced once if the instance gets a scope, before PID 1 executes the guest's program.
  private(set) var container: GuestCgroup
  /// The console first; none for an orphan.
  private(set) var consoles: [Console] = []
  var remarks: [InstanceRemark] = []
  var limits: [InstanceLimit] = []
  /// From `watch` on.
  private var freezer: Freezer?
  let backend: ContainerBackend
  /// Nil for an orphan.
  private let messages: PacedMessages?
  /// Nil once the instance has ended.
  private(set) var holdings: Holdings?
  private var forwarding: PortForwarding?
  private var sources: [EventSource] = []
  private var memoryWatch: EventSource?
  private var knownMemoryKills = 0
  /// Limits how often the descriptors of its processes are searched.
  var looks = SearchBudget()
  private(set) var report: (InstanceEvent) -> Void = { _ in }
  /// The start, while PID 1 waits to be moved into its cgroup; nil afterwards.
  var start: PlacedStart?

  /// What an instance occupies on the host. It is freed when the instance ends.
  struct Holdings {
    /// Directories and mounts.
    var host: HostSide
    var network: GuestNetwork?
    /// Its user IDs; nil when it has no user namespace.
    var users: UserRanges.Claim?
    /// Nil for an orphan.
    var machineID: MachineIDs.Claim?
    /// Keeps other systems out of the root. Nil for an orphan whose root another system locked while no daemon ran.
    var root: RootLocks.Claim?
  }

  /// `notify` is nil for an orphan, whose messages and console are lost.
  init(
    _ backend: ContainerBackend, _ process: GuestProcess, _ cgroup: GuestCgroup, _ notify: NotifySocket?,
    _ holdings: Holdings
  ) {
    self.backend = backend
    self.process = process
    container = cgroup
    messages = notify.map { PacedMessages($0, loop: backend.loop) }
    self.holdings = holdings
    switch process.takeConsole() {
    case .some(let master): consoles.append(Console(master: master))
    case .none: break
    }
    while let master = process.terminals.takeFirst() { consoles.append(Console(master: master)) }
  }

  deinit { stopWatching() }

  var name: InstanceName { container.name }
  var pid: Int32 { process.pid }
  var cgroup: String { container.path }
  var refusedMessages: Int { messages?.refused ?? 0 }
  var freezing: (any Freezing)? { freezer }

  /// systemd (up to 262) does not report the address. It only reports that ssh-access.target is active, and makes the socket where the host
  /// can reach it (systemd-ssh-generator(8)).
  var sshSocket: String? {
    let path = HostSide.unixExport(of: name.guest, runtime: backend.runtime) + "/ssh"
    return (try? FileStatus(path, followingLinks: false))?.kind == .socket ? path : nil
  }

  func signal(_ signal: Signal) throws(SystemError) { try process.signal(signal) }

  func hears(_ signal: Signal) -> Bool { process.hears(signal) }

  func kill() throws(SystemError) {
    // PID 1 also by its pidfd: it may have been moved out of the cgroup. ESRCH: it has ended already.
    try? process.signal(.number(SIGKILL))
    try container.kill()
  }

  func forEachSocket(_ body: (consuming OwnedFD) -> Void) {
    // A guest may have opened any number of them.
    try? Linux.forEachSocket(ofProcess: process.payloadPID, pidfd: process.payloadPidfd, limit: Self.mostTaken) {
      body($0)
      return true
    }
  }

  private static let mostTaken = 4096
}

// What happens to it.
extension ContainerInstance {
  func watch(_ report: @escaping (InstanceEvent) -> Void) throws(SystemError) {
    let loop = backend.loop
    self.report = report
    sources.append(try loop.watch(process.pidfd, for: .readable, priority: .first) { [unowned self] _ in reap() })
    try messages?.watch(loop) { [unowned self] in
      receive { messages throws(SystemError) in try messages.next(from: process) }
    }
    for console in consoles { try console.watch(loop) }
    try watchContainer()
    // The ports of an orphan are forwarded already, but nothing watches its addresses.
    if messages == nil { forwardPorts() }
  }

  /// PID 1 executes the guest's program.
  func began() {
    report(.started)
    forwardPorts()
  }

  /// `Port=`. A guest whose ports cannot be forwarded runs all the same: its listeners work without that.
  private func forwardPorts() {
    guard let network = holdings?.network, !network.ports.isEmpty else { return }
    do throws(SystemError) {
      let forwarding = try PortForwarding(network, of: name.guest, backend.loop) { [unowned self] in report(.remark($0))
      }
      self.forwarding = forwarding
      try forwarding.begin(backend.loop)
    } catch {
      report(.remark(.cannotForward(error: "\(error)")))
    }
  }

  private func watchContainer() throws(SystemError) {
    try container.withMemoryChanges { changes throws(SystemError) in
      memoryWatch = try backend.loop.watch(changes, for: .priority) { [unowned self] _ in countMemoryKills() }
    }
    freezer = Freezer(container, loop: backend.loop)
  }

  /// Makes `cgroup` the instance's own. PID 1 is in it already, and has not executed the guest's program yet.
  func moved(to cgroup: GuestCgroup) throws(SystemError) {
    // The event sources are released before the descriptors that they watch.
    memoryWatch = nil
    freezer?.stop()
    freezer = nil
    let former = container
    container = cgroup
    // The former cgroup is empty. If it cannot be removed now, the guest's next start tries again.
    try? former.remove()
    try watchContainer()
  }

  private func countMemoryKills() {
    guard let kills = container.memoryKills, kills > knownMemoryKills else { return }
    report(.memoryKills(kills - knownMemoryKills))
    knownMemoryKills = kills
  }

  private func receive(_ read: (PacedMessages) throws(SystemError) -> [NotifyMessage]) {
    guard let messages else { return }
    do throws(SystemError) {
      for message in try read(messages) { report(.notified(message)) }
    } catch {
      fail(error)
    }
  }

  private func fail(_ error: any Error) { report(.remark(.cannotEnd(error: "\(error)"))) }
}

// Its end.
extension ContainerInstance {
  private func reap() {
    do throws(SystemError) {
      // Its last messages and output come before its end. The notify socket must be read before waitid(2): the sender of a message is
      // checked by the process, which is gone then.
      receive { messages throws(SystemError) in try messages.last(of: process) }
      for console in consoles { console.drainAll() }
      countMemoryKills()
      guard let status = try process.reap() else { return }
      start = nil
      stopWatching()
      endRest(status)
    } catch {
      fail(error)
    }
  }

  /// Kills whatever is still in the cgroup (somebody may have entered it from outside) and removes it.
  private func endRest(_ status: ExitStatus) {
    do throws(SystemError) {
      if try container.isPopulated() {
        sources.append(
          try backend.loop.watch(container.changes, for: .priority, priority: .first) { [unowned self] _ in
            emptied(status)
          })
        return try container.kill()
      }
    } catch {
      // Not waited for: the next start does not begin before the cgroup is empty.
      fail(error)
    }
    end(.ended(status))
  }

  private func emptied(_ status: ExitStatus) {
    do throws(SystemError) {
      if try container.isPopulated() { return }
    } catch {
      fail(error)
    }
    end(.ended(status))
  }

  /// Ends the instance: PID 1 has not executed the guest's program, and has been reaped.
  func startFailed(_ error: StartError) {
    start = nil
    try? container.kill()
    end(.startFailed(StartFailure(error.description)))
  }

  /// Frees what the instance occupied on the host, before its end is reported and the next one is started.
  private func end(_ event: InstanceEvent) {
    free()
    // Nothing may be reported after the end, because the receiver of the reports may have been released.
    let report = report
    self.report = { _ in }
    report(event)
  }

  private func free() {
    stopWatching()
    messages?.removePath()
    for problem in holdings?.network?.end() ?? [] { fail(problem) }
    holdings = nil
    do throws(SystemError) {
      try container.remove()
    } catch {
      // No process is in it, so the instance has ended. The next start removes the cgroup first.
      fail(error)
    }
    InstanceRecord(runtime: backend.runtime).remove(name)
    backend.machines.unregister(name.guest)
    backend.scopes?.forget(name)
  }

  private func stopWatching() {
    for source in sources { source.cancel() }
    sources = []
    messages?.stop()
    memoryWatch = nil
    freezer?.stop()
    for console in consoles { console.stopWatching() }
    forwarding = nil
  }
}
