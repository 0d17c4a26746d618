import ControlProtocol

/// The output of `dormouse status` for a person.
struct StatusText {
  private let status: GuestStatus
  private let now: Timestamp

  init(_ status: GuestStatus, now: Timestamp) {
    self.status = status
    self.now = now
  }

  var text: String {
    var facts = Facts()
    facts.add("Guest", status.name)
    facts.add("State", "\(status.state.word) since \(moment(status.since))")
    facts.add("Retry", status.retryAt.map { "\($0.relative(to: now)); no connection wakes the guest before that" })
    facts.add("Stop", status.stopAt.map { "\($0.relative(to: now)), unless somebody uses the guest" })
    facts.add("PID", status.pid.map { "\($0)" })
    facts.add("Cgroup", status.cgroup)
    let limits = status.limits.map { "\($0.setting)=\($0.value)\($0.isDefault ? " (default)" : "")" }
    facts.add("Limits", limits.isEmpty ? nil : limits.joined(separator: ", "))
    for file in status.files { facts.add("File", file) }
    for socket in status.sockets { facts.add("Socket", line(socket)) }
    facts.add("Connections", "\(status.connections)")
    facts.add("Wakes", "\(status.wakes)")
    facts.add("Last wake", status.lastWake.map(line))
    facts.add("Last stop", status.lastStop.map(line))
    addReport(&facts)
    facts.add("Counters", counters)
    for message in status.messages {
      facts.add(message.level.rawValue.capitalizedFirst, "\(message.text) (\(message.at.relative(to: now)))")
    }
    guard let console = status.console else { return facts.text }
    let end = console.hasSuffix("\n") || console.isEmpty ? "" : "\n"
    return facts.text + "\n" + plainText(console, lines: true) + end
  }

  private func addReport(_ facts: inout Facts) {
    guard let report = status.report else { return }
    // For a guest that sleeps, these are the reports of its last instance.
    let last = status.state == .inactive || status.state == .failed ? "Last " : ""
    func add(_ name: String, _ value: String?) { facts.add(last + name, value) }
    for unit in report.failedUnits { facts.add("Failed unit", last.isEmpty ? "\(unit)" : unit.wordsOfLastRun) }
    add("Status", report.status)
    // A guest that sends no READY=1 is active as soon as it runs.
    let unready = status.state == .activating ? "not yet" : nil
    add("Ready", report.reloading ? "reloading" : report.ready ? "yes" : unready)
    add("Reaching", report.reaching)
    add("SSH", report.sshAddress.map { "ssh \($0)" })
    add("Hostname", report.hostname)
    add("Machine ID", report.machineID)
    add("Signals level", report.signalsLevel.map { "\($0)" })
    add("Units", report.units.isEmpty ? nil : report.units.joined(separator: " "))
    add("Shutdown", report.shutdown.map { $0 + (report.rebootParameter.map { " (\($0))" } ?? "") })
    add("Exit status", report.exitStatus.map { "\($0)" })
    add("errno", report.errno.map { "\($0)" })
  }

  private func line(_ socket: SocketStatus) -> String {
    var parts = ["\(socket.address) \(socket.kind.rawValue) \"\(socket.name)\""]
    if let inode = socket.inode { parts.append("inode \(inode)") }
    if socket.passed { parts.append("passed by the service manager") }
    switch socket.adopted {
    case true: parts.append("adopted")
    case false: parts.append("not served")
    case nil: break
    }
    if let why = socket.unserved { parts.append(why.text) }
    if let queued = socket.queued, queued > 0 { parts.append("\(queued) queued") }
    return parts.joined(separator: ", ")
  }

  private func line(_ wake: WakeReport) -> String {
    let cause = "by \(wake.cause.words)" + (wake.socket.map { " to \($0)" } ?? "")
    var phases: [String] = []
    if let started = wake.startedMs { phases.append("started after \(duration(milliseconds: started))") }
    if let handlers = wake.handlersMs { phases.append("signal handlers after \(duration(milliseconds: handlers))") }
    if let ready = wake.readyMs { phases.append("ready after \(duration(milliseconds: ready))") }
    if let failure = wake.failure { phases.append("failed: \(failure)") }
    return "\(moment(wake.at)), \(cause)" + (phases.isEmpty ? "" : ": ") + phases.joined(separator: ", ")
  }

  private func line(_ stop: StopReport) -> String {
    var parts: [String] = []
    if let took = stop.tookMs { parts.append("stopped after \(duration(milliseconds: took))") }
    if let status = stop.exitStatus { parts.append("exit status \(status)") }
    if let signal = stop.signal { parts.append(Self.endings[signal] ?? signal) }
    if let parameter = stop.rebootParameter { parts.append("reboot argument \(parameter)") }
    if stop.killed { parts.append("KILLED because it did not stop in time") }
    return "\(moment(stop.at)), \(stop.cause.words)" + (parts.isEmpty ? "" : ": ") + parts.joined(separator: ", ")
  }

  /// How a system ends itself, by the signal as which the kernel reports that, in the words of the log.
  private static let endings = ["SIGINT": "powered off", "SIGHUP": "reboot requested"]

  private var counters: String? {
    let counters = status.counters
    let named = [
      ("failed wake(s)", counters[.failedWakes]), ("freeze(s)", counters[.freezes]), ("stop(s)", counters[.stops]),
      ("kill(s)", counters[.kills]), ("crash(es)", counters[.crashes]), ("reboot(s)", counters[.reboots]),
      ("connection(s)", counters[.accepted]), ("unanswered connection(s)", counters[.unanswered]),
      ("handed over", counters[.handedOver]), ("parked", counters[.parked]),
      ("unparked", counters[.unparked]), ("not drained before a stop", counters[.undrained]),
      ("connection(s) refused", counters[.connectionsRefused]), ("notify message(s) refused", counters[.notifyRefused]),
      ("process(es) killed, out of memory", counters[.memoryKills]),
    ].map { name, count in (Self.numbered(name, count), count) }
    let lost = counters.lost.map { ("lost (\($0.reason.words))", $0.count) }
    let some = (named + lost).filter { $0.1 > 0 }.map { "\($0.1) \($0.0)" }
    return some.isEmpty ? nil : some.joined(separator: ", ")
  }

  /// `1 connection`, `2 connections`.
  private static func numbered(_ name: String, _ count: Int) -> String {
    let isOne = count == 1
    return name.replacing("(s)", with: isOne ? "" : "s").replacing("(es)", with: isOne ? "" : "es")
  }

  private func moment(_ time: Timestamp) -> String { "\(time.localTime); \(time.relative(to: now))" }
}

/// Lines of a name and a value, aligned at the colons as in systemctl(1).
struct Facts {
  private var facts: [(String, String)] = []

  /// Adds a line; without a value nothing is added.
  mutating func add(_ name: String, _ value: String?) {
    if let value { facts.append((name, plainText(value))) }
  }

  var text: String {
    let width = facts.map(\.0.count).max() ?? 0
    return facts.map { name, value in
      String(repeating: " ", count: width - name.count) + "\(name): \(value)\n"
    }.joined()
  }
}

extension String {
  fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}

extension LossReason {
  fileprivate var words: String {
    switch self {
    case .notAdopted: "the guest did not adopt the socket"
    case .notUnparked: "could not be unparked"
    case .failed: "refused because the guest had failed too often"
    case .unanswered: "closed unanswered while the guest was stopping"
    case .killed: "open when the guest was killed"
    case .unrecognized(let word): word
    }
  }
}
