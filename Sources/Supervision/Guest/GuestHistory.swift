import ControlProtocol
import GuestSpec
import Lifecycle
import Linux
import Listeners
import Systemd

/// What a supervisor remembers of its guest in order to tell it: the last wake and stop, what the guest said, what somebody ought
/// to look at, the counters, the last console. Nothing is decided by it.
final class GuestHistory {
  private(set) var wakes = 0
  var lastWake: WakeReport?
  var lastStop: StopReport?
  var report: GuestReport?
  var counters = GuestCounters()
  /// The connections of earlier instances.
  var tally = ConnectionTally()
  private(set) var messages: [GuestMessage] = []
  /// When it was asked to halt, by the clock that does not jump.
  private var askedAt = Duration.zero
  /// What the last run printed.
  private(set) var console: String?

  /// More than anybody reads; the log has the rest.
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
  }

  func notReady(because reason: String) {
    lastWake?.failure = reason
    counters[.failedWakes] += 1
  }

  func haltRequested(because cause: StopCause) {
    lastStop = StopReport(cause: cause, at: .now)
    askedAt = Clocks.monotonic
  }

  func killed() {
    lastStop?.killed = true
    counters[.kills] += 1
  }

  /// Notes the end; `unasked` is what it was if nobody had asked for it.
  func ended(_ status: ExitStatus, unasked: StopCause?, console: String) {
    counters[.stops] += 1
    self.console = console
    if unasked == .crash { counters[.crashes] += 1 }
    var stop = unasked.map { StopReport(cause: $0, at: .now) } ?? lastStop ?? StopReport(cause: .request, at: .now)
    if unasked == nil { stop.tookMs = (Clocks.monotonic - askedAt).milliseconds }
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

  /// Takes over what PID 1 said.
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
    // A guest can name what it likes; what is kept of it is bounded.
    units = units.suffix(64)
  }

  /// What systemd waits for: `(2 of 3) User job web.service/start running (8s / 1min 30s)...`.
  private static func unit(in status: String) -> String? {
    guard let job = status.firstRange(of: "User job "), let end = status[job.upperBound...].firstIndex(of: "/"),
      status[end...].contains(" running (")
    else { return nil }
    return String(status[job.upperBound..<end])
  }
}
