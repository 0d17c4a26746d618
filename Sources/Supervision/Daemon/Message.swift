import ControlProtocol
import Systemd
import UnitSyntax

/// Everything that the daemon says to the log once it runs: one case for each event, worded here and nowhere else.
enum Message {
  // A guest's life.
  case asleep(sockets: [String], passed: Bool)
  case waking(WakeCause, socket: String?)
  case started(pid: Int32, after: Duration)
  case ready(after: Duration)
  case idle(since: Duration)
  case frozen(asked: Bool)
  case thawed(socket: String?, after: Duration)
  case cannotFreeze(error: String)
  case cannotThaw(error: String)
  case stopCancelled, selfShutdown, shutdownAborted
  case cannotMonitorData(error: String)
  case cannotReclaim(error: String)
  case cannotPark(error: String)
  case haltRequested(signal: String, StopCause)
  case killing(setting: String, after: Duration?)
  case stopped(how: String)
  case paused(reason: String, pause: Duration, failures: Int)
  case foundOrphan(pid: Int32)
  case cannotEnumerateOrphans(error: String)
  case noTimer(error: String)

  // What the guest makes of its sockets, and what it says of itself.
  case notAdopted(socket: String)
  case listenerClosed(socket: String, waiting: Int)
  case repaired(socket: String)
  case cannotScan(error: String)
  case guestReported(error: Int32)
  case outOfMemory(kills: Int)
  case remark(InstanceRemark)

  // The daemon.
  case problem(Diagnostic)
  case noGuests(searchPath: [String])
  case noSuchGuest(String)
  case notPassed(socket: String)
  case notWanted(name: String, address: String)
  case cannotStore(error: String)
  case cannotTakeSocket(name: String, error: String)
  case cannotTakeStored(name: String, reason: String)
  case added, removed, changed(later: Bool)
  case listening(path: String)
  case noControllers(reason: String)
  case reloading, ending, endingNow, endingAsleep
  case cannotRun(error: String)
}

extension Message {
  var priority: Journal.Priority {
    switch self {
    case .remark(let remark): remark.priority
    case .cannotThaw, .noTimer, .cannotEnumerateOrphans, .cannotTakeSocket, .cannotTakeStored, .cannotRun, .noSuchGuest,
      .listenerClosed:
      .error
    case .problem(let diagnostic): diagnostic.severity == .error ? .error : .warning
    case .killing, .paused, .foundOrphan, .notAdopted, .repaired, .cannotScan, .cannotFreeze,
      .cannotPark, .cannotMonitorData, .cannotReclaim, .guestReported, .outOfMemory, .noGuests, .notPassed, .notWanted,
      .cannotStore:
      .warning
    case .waking, .stopped, .endingNow: .notice
    case .asleep, .started, .ready, .idle, .stopCancelled, .selfShutdown, .shutdownAborted, .frozen, .thawed,
      .haltRequested,
      .added, .removed, .changed, .listening, .noControllers, .reloading, .ending, .endingAsleep:
      .info
    }
  }

  /// One sentence, without the guest's name.
  var text: String {
    switch self {
    case .asleep(let sockets, _) where sockets.isEmpty: "asleep; it has no sockets, so only `dormouse wake` wakes it"
    case .asleep(let sockets, let passed):
      "asleep; \(passed ? "the service manager passed" : "holding") \(sockets.joined(separator: ", "))"
    case .waking(let cause, let socket): "waking: \(cause.words)\(socket.map { " to \($0)" } ?? "")"
    case .started(let pid, let after): "started as process \(pid) after \(after.inWords)"
    case .ready(let after): "ready after \(after.inWords)"
    case .idle(let since): "nobody has used it for \(since.inWords)"
    case .frozen(let asked): asked ? "frozen: asked for" : "frozen: nobody uses it"
    case .thawed(let socket, let after):
      "thawed after \(after.inWords)\(socket.map { ": a connection to \($0)" } ?? "")"
    case .cannotFreeze(let error): "cannot be frozen: \(error)"
    case .cannotThaw(let error): "stands still and cannot be thawed, which is tried again until it can: \(error)"
    case .selfShutdown: "shuts down by itself: new clients are parked for its next start"
    case .shutdownAborted: "does not shut down after all: clients come to it again"
    case .cannotMonitorData(let error):
      "IdleFreeze=with-connections: what arrives on its connections cannot be seen, so with connections it is not frozen: \(error)"
    case .cannotReclaim(let error): "IdleReclaim=: its memory stays where it is: \(error)"
    case .stopCancelled: "a client came: the stop is cancelled"
    case .cannotPark(let error): "its new clients cannot be diverted from it, or given back: \(error)"
    case .haltRequested(let signal, let cause): "sent \(signal): \(cause.words)"
    case .killing(let setting, let after):
      "still there after \(after.map { "\($0.inWords) (\(setting))" } ?? setting): killing it"
    case .stopped(let how): "gone: \(how)"
    case .paused(let reason, let pause, let failures):
      "\(reason); pausing for \(pause.inWords)\(failures > 1 ? ", after \(failures) times in a row" : "")"
    case .foundOrphan(let pid): "found running as process \(pid), left by an earlier daemon"
    case .cannotEnumerateOrphans(let error):
      "cannot find out what an earlier daemon left running, so nothing is begun before that: \(error)"
    case .noTimer(let error): "there is no timer for how long it is waited for, so that counts as over: \(error)"
    case .notAdopted(let socket):
      "the guest did not take \(socket): none of its enabled .socket units has this address; clients are refused there"
    case .listenerClosed(let socket, let waiting):
      "the guest let go of \(socket) while \(waiting) waited there (has its .socket unit failed?): ending it"
    case .repaired(let socket): "\(socket) had been shut down, or its path taken away: it listens again"
    case .cannotScan(let error): "cannot tell whether it is used: \(error)"
    case .guestReported(let error): "its PID 1 reports error \(error)"
    case .remark(let remark): remark.text
    case .outOfMemory(let kills):
      "out of memory: the kernel killed \(kills) of its processes (MemoryMax=, or the host's own)"
    case .problem(let diagnostic): diagnostic.description
    case .noGuests(let searchPath): "no guest file in \(searchPath.joined(separator: ", "))"
    case .noSuchGuest(let name):
      "no file \(name).guest in the search path: write one, or name its directory by --config"
    case .notPassed(let socket): "the service manager passed sockets, but not \(socket): it is bound here"
    case .notWanted(let name, let address):
      "the service manager passed \(address) (named \(name)), which no guest asks for: closed"
    case .cannotStore(let error): "cannot tell the service manager which sockets to keep: \(error)"
    case .cannotTakeSocket(let name, let error): "cannot take the socket named \(name): \(error)"
    case .cannotTakeStored(let name, let reason):
      "cannot use \(name) of the service manager's store, ignoring it: \(reason)"
    case .added: "new guest"
    case .removed: "its file is gone"
    case .changed(let later): later ? "its file changed, for its next start" : "its file changed"
    case .listening(let path): "control socket at \(path)"
    case .noControllers(let reason): "guests get no resource controllers: \(reason)"
    case .reloading: "reading the guest files again"
    case .ending: "ending: every guest is told to halt"
    case .endingNow: "told twice to end: killing every guest"
    case .endingAsleep: "all are asleep: ending, and the service manager listens"
    case .cannotRun(let error): "cannot run: \(error)"
    }
  }

  /// How `status` shows it among the things that somebody ought to look at; nil for what is as it should be.
  var level: MessageLevel? {
    switch priority {
    case .error: .error
    case .warning: .warning
    case .notice, .info: nil
    }
  }
}
