import ControlProtocol
import GuestSpec
import Systemd
import UnitSyntax

/// Everything that the daemon logs once it runs: one case for each event. `Message+Line.swift` words them.
///
/// A new message is a case here, an id in `MessageID`, and a line in `Message+Line.swift` and in docs/messages.md.
enum Message {
  // A guest's life.
  case asleep(sockets: [String], passed: Bool)
  case waking(WakeCause, socket: String?)
  case preparing(what: String)
  case started(pid: Int32, after: Duration)
  case ready(after: Duration)
  case idle(since: Duration)
  case frozen(asked: Bool)
  case thawed(socket: String?, after: Duration)
  case cannotFreeze(error: String)
  case cannotThaw(error: String)
  case stopCancelled(use: String?)
  case selfShutdown, shutdownAborted(last: Bool)
  case cannotMonitorData(error: String)
  case cannotReclaim(error: String)
  case cannotPark(error: String)
  case cannotUnpark(error: String)
  case scopeStops
  case haltRequested(signal: String, StopCause)
  case haltUnheard(signal: String)
  case killing(setting: String, after: Duration?)
  case stopped(how: String)
  case paused(reason: String, pause: Duration, failures: Int, refusing: Bool)
  case foundOrphan(pid: Int32)
  case cannotEnumerateOrphans(error: String)
  case noTimer(error: String)
  case linesDropped(count: Int)

  // What the guest makes of its sockets, and what it reports.
  case notAdopted(socket: String, Unserved)
  case listenerClosed(socket: String, waiting: Int, Unserved)
  case repaired(socket: String)
  case cannotScan(error: String)
  case cannotConfine(error: String)
  case guestReported(error: Int32)
  case outOfMemory(kills: Int)
  case remark(InstanceRemark)

  // The daemon.
  case problem(Diagnostic)
  case noGuests(searchPath: [String])
  case noSuchGuest(String, searchPath: [String])
  case notPassed(socket: String)
  case notWanted(name: String, address: String)
  case cannotStore(error: String)
  case cannotTakeSocket(name: String, error: String)
  case cannotTakeStored(name: String, reason: String)
  case added, removed, changed(later: Bool)
  case listening(path: String)
  case noControllers(reason: String)
  case reloading, ending, endingNow, endingAsleep
  case signalIgnored(pid: Int32, unit: String)
  case cannotRun(error: String)
}

extension Message {
  var priority: Journal.Priority { line.priority }
  /// One sentence, without the guest's name.
  var text: String { line.text }

  /// How `status` shows it among the things that somebody ought to look at; nil for what is as it should be.
  var level: MessageLevel? {
    switch priority {
    case .error: .error
    case .warning: .warning
    case .notice, .info: nil
    }
  }
}
