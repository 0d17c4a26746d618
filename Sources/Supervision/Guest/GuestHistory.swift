import ControlProtocol
import GuestSpec
import Lifecycle
import Linux
import Listeners
import Systemd

/// What a supervisor remembers of its guest for `dormouse status`: the last wake and stop, the reports of PID 1, warnings, counters, the last
/// console. No decision depends on it.
final class GuestHistory {
  private(set) var wakes = 0
  var lastWake: WakeReport?
  var lastStop: StopReport?
  var report: GuestReport?
  var counters = GuestCounters()
  /// The connections of earlier instances.
  var tally = ConnectionTally()
  private(set) var messages: [GuestMessage] = []
  /// The units that had failed in the last instance when it was last asked.
  var failedUnits: [FailedUnit] = []
  /// When PID 1 was told to halt, as time since boot.
  private var haltedAt = Duration.zero
  /// The end of what the last instance printed.
  private(set) var console: String?

  /// How many messages are kept. The log has all of them.
  private static let keptMessages = 32

  func record(_ level: MessageLevel, _ text: String) {
    if messages.last?.text == text { return }
    messages.append(GuestMessage(at: .now, level: level, text: text))
    if messages.count > Self.keptMessages { messages.removeFirst() }
  }

  func woken(by cause: WakeCause, socket: String?) {
    wakes += 1
    if cause == .reboot { counters[.reboots] += 1 }
    lastWake = WakeReport(cause: cause, at: .now)
    lastWake?.socket = socket
    report = GuestReport()
    messages.removeAll()
    failedUnits = []
  }

  func notReady(because reason: String) {
    lastWake?.failure = reason
    counters[.failedWakes] += 1
  }

  func haltRequested(because cause: StopCause) {
    lastStop = StopReport(cause: cause, at: .now)
    haltedAt = Clocks.monotonic
  }

  func killed() {
    lastStop?.killed = true
    counters[.kills] += 1
  }

  /// Records the end of an instance. `unasked` is its cause if Dormouse had not stopped it.
  func ended(_ status: ExitStatus, unasked: StopCause?, console: String) {
    counters[.stops] += 1
    self.console = console
    if unasked == .crash { counters[.crashes] += 1 }
    var stop = unasked.map { StopReport(cause: $0, at: .now) } ?? lastStop ?? StopReport(cause: .request, at: .now)
    if unasked == nil { stop.tookMs = (Clocks.monotonic - haltedAt).milliseconds }
    stop.rebootParameter = report?.rebootParameter
    switch status {
    case .exited(let code): stop.exitStatus = code
    case .killed(let signal): stop.signal = Signal.number(signal).description
    case .unknown: break
    }
    lastStop = stop
  }

  func lost(_ count: Int, _ reason: LossReason) {
    if count == 0 { return }
    if let place = counters.lost.firstIndex(where: { $0.reason == reason }) {
      counters.lost[place].count += count
    } else {
      counters.lost.append(LossCount(reason: reason, count: count))
    }
  }

  /// Records a message of PID 1.
  func record(_ message: NotifyMessage) {
    var report = self.report ?? GuestReport()
    report.merge(message)
    self.report = report
  }
}

extension GuestReport {
  fileprivate mutating func merge(_ message: NotifyMessage) {
    if message.isReloading { reloading = true }
    if message.isReady { (ready, reloading) = (true, false) }
    if let text = message.status { (status, reaching) = (text, Self.unit(in: text)) }
    if message.isReady { reaching = nil }
    hostname = message.hostname ?? hostname
    machineID = message.machineID?.description ?? machineID
    signalsLevel = message.signalsLevel ?? signalsLevel
    shutdown = message.shutdown?.rawValue ?? shutdown
    rebootParameter = message.rebootParameter ?? rebootParameter
    exitStatus = message.exitStatus.map(Int32.init) ?? exitStatus
    errno = message.errno ?? errno
    units.removeAll { message.inactiveUnits.contains($0) || message.activeUnits.contains($0) }
    units += message.activeUnits
    // A guest may report any number of units, so only the last ones are kept.
    units = units.suffix(64)
  }

  /// The unit that systemd waits for, as in `(2 of 3) User job web.service/start running (8s / 1min 30s)...`.
  private static func unit(in status: String) -> String? {
    guard let job = status.firstRange(of: "User job "), let end = status[job.upperBound...].firstIndex(of: "/"),
      status[end...].contains(" running (")
    else { return nil }
    return String(status[job.upperBound..<end])
  }
}
