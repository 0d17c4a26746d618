import ControlProtocol

/// At least one of each call, reply and error, and of each type one with every optional filled, so that a test can walk all keys.
enum Samples {
  static let at = Timestamp(microseconds: 1_800_000_000_123_456)

  static let calls: [Call] = [
    .list, .reload, .status(name: "web", console: true), .status(name: "web", console: false), .why(name: "a \"b\"\0é"),
    .wake(name: "web"), .sleep(name: "web", now: true), .sleep(name: "web", now: false),
    .freeze(name: "web", now: true), .thaw(name: "web"), .subscribeGuests(name: nil), .subscribeGuests(name: "web"),
    .attach(name: "web", terminal: nil, size: nil),
    .attach(name: "web", terminal: 2, size: TerminalSize(rows: 50, columns: 132)),
    .resize(name: "web", terminal: 1, size: TerminalSize(rows: 25, columns: 80)),
    .resize(name: "web", terminal: nil, size: TerminalSize(rows: 0, columns: .max)),
  ]

  static let replies: [(Call, Reply)] = [
    (.list, .list([])),
    (.list, .list([status.summary, summary])),
    (.status(name: "web", console: true), .status(status)),
    (.status(name: "b", console: true), .status(GuestStatus(name: "b", state: .frozen, since: at))),
    (.why(name: "web"), .why(explanation)), (.wake(name: "web"), .done),
    (.sleep(name: "a", now: true), .done), (.freeze(name: "a", now: false), .done), (.thaw(name: "a"), .done),
    (.subscribeGuests(name: nil), .guests(GuestChanges(guests: [status.summary]))),
    (.subscribeGuests(name: nil), .guests(GuestChanges(removed: ["web"]))),
    (.subscribeGuests(name: nil), .failure(.tooManySubscribers)),
    (.subscribeGuests(name: nil), .failure(.tooManyWaiting)),
    (.subscribeGuests(name: nil), .failure(.subscriberTooSlow)),
    (.attach(name: "a", terminal: 1, size: nil), .attached),
    (.attach(name: "a", terminal: 1, size: nil), .failure(.consoleFailed(name: "a", reason: "it is frozen"))),
    (.resize(name: "a", terminal: 1, size: TerminalSize(rows: 25, columns: 80)), .done),
    (.reload, .done), (.reload, .failure(.reloadFailed(reason: "web.guest:3: Boot=maybe"))),
    (.wake(name: "x"), .failure(.badSetting(name: "x", reason: "x.guest:3: Boot=maybe"))),
    (.why(name: "x"), .failure(.noSuchGuest(name: "x"))),
    (.wake(name: "x"), .failure(.wakeFailed(name: "x", reason: "mounting tmpfs on /dev: Operation not permitted"))),
    (.freeze(name: "x", now: false), .failure(.freezeFailed(name: "x", reason: "it is inactive"))),
    (.sleep(name: "x", now: false), .failure(.sleepFailed(name: "x", reason: "1 connection"))),
  ]

  static var summary: GuestSummary {
    var summary = GuestSummary(name: "b", state: .failed, since: at)
    summary.note = "web.service has failed"
    return summary
  }

  static var status: GuestStatus {
    var status = GuestStatus(name: "web", state: .active, since: at, files: ["/etc/dormouse/web.guest"])
    status.connections = 2
    status.wakes = 3
    status.pid = 4711
    status.cgroup = "/dormouse.service/web.guest"
    status.limits = [LimitStatus(setting: "TasksMax", value: "4096", isDefault: true)]
    status.sockets = [socket]
    status.lastWake = wake
    status.lastStop = stop
    status.retryAt = at
    status.stopAt = at
    status.report = report
    status.messages = [GuestMessage(at: at, level: .warning, text: "[::]:80 is enabled in the guest, but not held")]
    status.counters[.connectionsRefused] = 1
    status.console = "A\u{FFFD}B"
    return status
  }

  static var socket: SocketStatus {
    var socket = SocketStatus(address: "[::]:80", kind: .sequentialPacket, name: "http")
    socket.inode = 123_456
    socket.passed = true
    socket.adopted = false
    socket.unserved = unserved
    socket.queued = 5
    return socket
  }

  static var unserved: UnservedSocket {
    var unserved = UnservedSocket(reason: .unitFailed, text: "web.socket in the guest has failed (trigger-limit-hit)")
    unserved.unit = "web.socket"
    unserved.result = "trigger-limit-hit"
    return unserved
  }

  static let failedUnit = FailedUnit(unit: "web.service", result: "exit-code", status: 3, log: "no database")

  static var wake: WakeReport {
    var wake = WakeReport(cause: .connection, at: at)
    wake.socket = "[::]:80"
    wake.startedMs = 1.25
    wake.handlersMs = 60.5
    wake.readyMs = 411.004
    wake.failure = "no"
    return wake
  }

  static var stop: StopReport {
    var stop = StopReport(cause: .startTimeout, at: at)
    stop.tookMs = 130.5
    stop.killed = true
    stop.exitStatus = 133
    stop.signal = "SIGINT"
    stop.rebootParameter = "x"
    return stop
  }

  static var report: GuestReport {
    var report = GuestReport()
    report.ready = true
    report.status = "Ready."
    report.reaching = "web.service"
    report.sshAddress = "unix/run/dormouse/unix-export/web/ssh"
    report.hostname = "web"
    report.machineID = String(repeating: "a", count: 32)
    report.signalsLevel = 2
    report.units = ["sockets.target"]
    report.failedUnits = [failedUnit]
    report.shutdown = "poweroff"
    report.rebootParameter = "x"
    report.exitStatus = 1
    report.errno = 2
    return report
  }

  static var explanation: GuestExplanation {
    var explanation = GuestExplanation(name: "web", state: .failed, since: at)
    var connection = ConnectionStatus(socket: "[::]:80", local: "[::1]:80", state: "ESTABLISHED")
    connection.remote = "[::1]:40000"
    connection.queued = true
    connection.since = at
    connection.silentMs = 12
    explanation.connections = [connection]
    explanation.reasons = ["not ready yet"]
    explanation.failedUnits = [failedUnit]
    explanation.idleSince = at
    explanation.freezeAt = at
    explanation.stopAt = at
    explanation.retryAt = at
    explanation.wakeBy = ["[::]:80"]
    return explanation
  }
}
