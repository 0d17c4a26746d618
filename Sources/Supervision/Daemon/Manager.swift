import ControlProtocol
import Glibc
import GuestFiles
import GuestSpec
import Lifecycle
import Linux
import Systemd

/// The daemon: one supervisor for each guest, the signals, and the control socket. Everything of it runs on the loop's thread.
public actor Manager {
  public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  let loop: EventLoop
  let arguments: DaemonArguments
  /// The loop, or a test's own clock.
  let timers: any Timers
  let log: Log
  var supervisors: [String: Supervisor] = [:]
  private(set) var context: Context?
  private let makeBackend: (EventLoop, String) throws(SystemError) -> any Backend
  var control: ControlServer?
  private let serviceManager = ServiceManager()
  private var signals: [EventSource] = []
  private(set) var isEnding = false
  /// Whether the service manager passed the sockets of named guests. It watches them again when this process exits, so the process exits as
  /// soon as its guests are asleep.
  private(set) var endsAsleep = false
  /// The guests whose files had an error when they were last read.
  private(set) var broken = BrokenGuests()
  /// Guests whose files were removed and added again, while the instance of the old file still stops.
  private var returning: [String: LoadedGuest] = [:]
  private var readyRetry: Retry?
  /// The next search for orphans, and the errors of the last one by guest (empty: of the search as a whole), which are logged once.
  var orphanRetry: Retry?
  var orphanFailures: [String: ChangeFilter<SystemError>] = [:]

  /// Starts nothing yet, see `startOrExit`.
  ///
  /// - Parameters:
  ///   - loop: the loop of the calling thread, which the caller runs.
  ///   - arguments: the command line.
  ///   - backend: makes what runs the guests, with the loop and the runtime directory, which exists.
  package init(
    loop: EventLoop, arguments: DaemonArguments,
    backend: @escaping (EventLoop, String) throws(SystemError) -> any Backend
  ) {
    self.init(
      loop: loop, timers: loop, arguments: arguments, log: Log(journal: Journal(.current)), backend: backend)
  }

  /// The same with a log and a clock of a test's own.
  init(
    loop: EventLoop, timers: any Timers, arguments: DaemonArguments, log: Log,
    backend: @escaping (EventLoop, String) throws(SystemError) -> any Backend
  ) {
    self.loop = loop
    self.timers = timers
    self.arguments = arguments
    self.log = log
    makeBackend = backend
  }

  /// The signals to block before Swift's runtime makes a thread. Nothing waits for SIGPIPE; while it is blocked, a write to a closed stderr
  /// does not kill the daemon.
  public static let blockedSignals = [SIGTERM, SIGINT, SIGHUP, SIGPIPE]

  /// Starts the daemon, or logs why it cannot start and exits.
  public func startOrExit() {
    do {
      try start()
    } catch {
      log.write(.cannotRun(error: "\(error)"))
      control?.close()
      exit(error is NothingToManage ? EX_CONFIG : EXIT_FAILURE)
    }
  }

  /// Starts to manage the guests. Everything after that happens in the loop's events, until the loop exits.
  ///
  /// - Throws: when there is no runtime directory, control socket or cgroup, without which the daemon cannot work.
  func start() throws {
    let passed = try PassedDescriptors()
    // In a runtime directory that a user of the host can exchange, he would have root's files made, replaced and removed.
    let socket = "\(GuestFiles.absolute(arguments.runtime))/io.dormouse"
    let runtime = try SafeEntry(socket, makingDirectories: 0o755).directoryPath
    let backend = try makeBackend(loop, runtime)
    let daemon = loadSettings()
    let settings = daemon.settings
    backend.apply(settings)
    let context = try Context(
      loop: loop, timers: timers, log: log, backend: backend, serviceManager: serviceManager,
      startLimit: startLimit(settings), asker: HelperAsker(loop), hasBarrier: true)
    self.context = context
    if let obstacle = backend.obstacle { log.write(.noControllers(reason: obstacle)) }
    control = try RuntimeInUse.saying(of: runtime) { () throws(SystemError) in
      try ControlServer(
        loop: loop, runtime: runtime, version: DormouseVersion.current,
        upgrade: { [unowned self] call, socket in attach(call, socket) }
      ) { [unowned self] call, pending in handle(call, pending) }
    }
    log.write(.listening(path: "\(runtime)/io.dormouse"))
    try watchSignals()

    let found = load(with: daemon).guests
    for loaded in found where !loaded.hasErrors { _ = makeSupervisor(loaded, context) }
    // If there are files with errors, or names without files, `load` has logged that instead.
    if found.isEmpty && arguments.guests.isEmpty {
      log.write(.noGuests(searchPath: arguments.guestFiles.searchPath))
    }
    let taken = offer(passed, context.store)
    endsAsleep = taken > 0 && !arguments.guests.isEmpty
    try context.store.batch { () throws(SystemError) in try beginAll() }
    // A daemon with passed sockets stays, because the clients in their queues would make the service manager start the next daemon at once,
    // again and again.
    if supervisors.isEmpty, !arguments.guests.isEmpty, passed.count == 0, orphanRetry?.isPending != true {
      throw NothingToManage(broken.guestErrors, arguments)
    }
    notifyReady()
    endWatchWhenNothingRuns()
  }

  private func watchSignals() throws(SystemError) {
    // As urgent as the control socket: a second SIGTERM that is pending together with the first one is lost, because the kernel makes one of
    // them.
    signals = [
      try loop.onSignal(SIGTERM, priority: .control) { [unowned self] in end(askedBy: $0) },
      try loop.onSignal(SIGINT, priority: .control) { [unowned self] in end(askedBy: $0) },
      try loop.onSignal(SIGHUP, priority: .control) { [unowned self] _ in reload() },
    ]
  }

  /// Without names every guest; with names only those.
  func isConcerned(_ name: String) -> Bool { arguments.guests.isEmpty || arguments.guests.contains(name) }
}

// The guest files.
extension Manager {
  /// Loads the files of all guests that this daemon manages, including those with errors, and logs all errors and warnings.
  private func load(with daemon: LoadedDaemon) -> LoadedGuests {
    let files = arguments.guestFiles
    var loaded = files.loadAll()
    if !arguments.guests.isEmpty {
      loaded.guests.removeAll { !arguments.guests.contains($0.name) }
      for name in arguments.guests where loaded[name] == nil {
        log.write(.noSuchGuest(name, searchPath: files.searchPath))
      }
    }
    broken = BrokenGuests(loaded.guests, others: daemon.diagnostics + loaded.diagnostics)
    for diagnostic in loaded.diagnostics + loaded.guests.flatMap(\.diagnostics) { log.write(.problem(diagnostic)) }
    return loaded
  }

  /// Loads `dormoused.conf`, and logs all of its errors and warnings.
  private func loadSettings() -> LoadedDaemon {
    let loaded = arguments.guestFiles.loadDaemon()
    for diagnostic in loaded.diagnostics { log.write(.problem(diagnostic)) }
    return loaded
  }

  /// The default is one more than the number of processors, because a start also waits for the disk and for other processes. Measured: it
  /// serves fifty clients that come at once fastest.
  private func startLimit(_ settings: DaemonSettings) -> Int {
    settings.maxConcurrentStarts.map { Int($0) } ?? max(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 1) + 1
  }

  func makeSupervisor(_ loaded: LoadedGuest, _ context: Context) -> Supervisor {
    let supervisor = Supervisor(loaded, context: context)
    supervisor.stateChanged = { [unowned self] in stateChanged(of: $0) }
    supervisors[loaded.name] = supervisor
    return supervisor
  }

  private func add(_ loaded: LoadedGuest, _ context: Context) {
    let supervisor = makeSupervisor(loaded, context)
    supervisor.log(.added)
    // While the search for orphans is not complete, an instance of the guest may still run.
    if orphanRetry?.isPending != true { supervisor.begin(orphan: nil) }
  }

  /// SIGHUP: reads the files again. New guests are added, removed ones are stopped, and changes come into force when the guest has stopped.
  func reload() {
    guard let context, !isEnding else { return }
    log.write(.reloading)
    notify { manager throws(SystemError) in try manager.reloading() }
    let daemon = loadSettings()
    // With an error the old values stay in force, as with a guest's file.
    if !daemon.hasErrors {
      context.places.setLimit(startLimit(daemon.settings))
      context.backend.apply(daemon.settings)
    }
    let loaded = load(with: daemon)
    returning = [:]
    // A guest whose file has an error keeps its old one, and so do all guests when a directory cannot be read.
    let present = Set(loaded.guests.map(\.name))
    // Removed guests first: a new one may need their addresses.
    if loaded.diagnostics.isEmpty {
      for supervisor in supervisors.values where !present.contains(supervisor.name) && !supervisor.state.isReleasing {
        supervisor.log(.removed)
        supervisor.release(because: .configuration)
      }
    }
    for guest in loaded.guests where !guest.hasErrors {
      switch supervisors[guest.name] {
      case nil: add(guest, context)
      case let supervisor? where supervisor.state.isReleasing: returning[guest.name] = guest
      case let supervisor?: supervisor.change(to: guest)
      }
    }
    notifyReady()
  }
}

// The end.
extension Manager {
  /// SIGTERM: stops all guests cleanly, at the same time. A second SIGTERM kills those that still run.
  private func end(askedBy process: Int32) {
    // Compares the unit and not the name of the process, which every user can choose.
    if process > 0, let unit = ProcessUnit.name(of: process), Self.bystanders.contains(unit) {
      return log.write(.signalIgnored(pid: process, unit: unit))
    }
    if isEnding {
      log.write(.endingNow)
      for supervisor in supervisors.values { supervisor.killIfStopping() }
      return
    }
    end(logging: .ending)
  }

  /// The units whose SIGTERM the daemon ignores. systemd-machined 262 takes the daemon for the supervisor of a guest whose cgroup is below
  /// that of the daemon's unit, and sends it SIGTERM when the guest has ended.
  private static let bystanders = ["systemd-machined.service"]

  private func end(logging message: Message) {
    isEnding = true
    if case .ending = message, let context { context.leavesSockets = context.store.isThere }
    log.write(message)
    notify { manager throws(SystemError) in try manager.stopping(status: status) }
    context?.places.close()
    for supervisor in supervisors.values { supervisor.release(because: .daemon) }
    exitWhenNothingIsLeft()
  }

  private func stateChanged(of name: String) {
    guard let supervisor = supervisors[name] else { return }
    publish(supervisor)
    if supervisor.state.isUnbound {
      supervisors[name] = nil
      if let again = returning.removeValue(forKey: name), let context, !isEnding { add(again, context) }
      exitWhenNothingIsLeft()
    } else if supervisor.state.isAsleep, endsAsleep, !isEnding, supervisors.values.allSatisfy(\.isAsleepForNow) {
      end(logging: .endingAsleep)
    }
    notify { manager throws(SystemError) in try manager.status(status) }
    endWatchWhenNothingRuns()
  }

  /// Ends the watchdog while no guest runs: nothing can block the loop then, and a daemon whose guests are all asleep needs no timer.
  private func endWatchWhenNothingRuns() {
    if let watchdog = context?.watchdog, !supervisors.values.contains(where: \.state.mayRun) { watchdog.end() }
  }

  private func exitWhenNothingIsLeft() {
    guard isEnding, supervisors.isEmpty else { return }
    control?.close()
    context?.backend.finish()
    loop.exit()
  }

  /// Notifies the service manager. Errors are ignored, because no guest depends on it.
  private func notify(_ body: (ServiceManager) throws(SystemError) -> Void) {
    if serviceManager.isListening { try? body(serviceManager) }
  }

  /// Notifies the service manager that the daemon is ready, or has reloaded. The service manager waits for this, so it is sent again until
  /// it has arrived.
  private func notifyReady() {
    do throws(SystemError) {
      if serviceManager.isListening { try serviceManager.ready(status: status) }
    } catch {
      if !error.isForWantOfRoom { return }
      let retry = readyRetry ?? Retry(timers)
      readyRetry = retry
      try? retry.schedule { [unowned self] in notifyReady() }
    }
  }

  /// What `systemctl status` shows.
  private var status: String {
    func names(_ isMeant: (State) -> Bool) -> String {
      supervisors.values.filter { isMeant($0.state) }.map(\.name).sorted().joined(separator: ", ")
    }
    let awake = names(\.mayRun)
    let failed = names { $0.word == .failed }
    let asleep = supervisors.values.count { !$0.state.mayRun && $0.state.word != .failed }
    var parts = [awake.isEmpty ? nil : "awake: \(awake)", failed.isEmpty ? nil : "failed: \(failed)"].compactMap { $0 }
    if parts.isEmpty || asleep > 0 { parts.append(asleep == 1 ? "1 guest asleep" : "\(asleep) guests asleep") }
    return (parts + broken.words).joined(separator: "; ")
  }
}
