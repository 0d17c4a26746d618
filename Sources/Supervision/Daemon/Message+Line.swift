import ControlProtocol
import GuestSpec
import Systemd
import UnitSyntax

// How the log words each message, and which of its values are fields.
extension Message {
  var line: LogLine {
    switch self {
    case .asleep(let sockets, let passed):
      LogLine(.asleep, .info, Self.asleep(sockets, passed), sockets.map(LogField.socket) + [.arePassed(passed)])
    case .waking(let cause, let socket):
      LogLine(
        .waking, .notice, "waking: \(cause.words)\(socket.map { " to \($0)" } ?? "")",
        [.cause(cause.rawValue), socket.map(LogField.socket)])
    case .preparing(let what):
      LogLine(.preparing, .notice, "cannot start before this is done: \(what); clients wait", [.reason(what)])
    case .started(let pid, let after):
      LogLine(.started, .info, "started as process \(pid) after \(after.inWords)", [.pid(pid), .duration(after)])
    case .ready(let after): LogLine(.ready, .info, "ready after \(after.inWords)", [.duration(after)])
    case .idle(let since): LogLine(.idle, .info, "idle for \(since.inWords)", [.duration(since)])
    case .frozen(let asked):
      LogLine(
        .frozen, .info, asked ? "frozen on request" : "frozen: nobody uses it",
        [.cause(asked ? StopCause.request.rawValue : StopCause.idle.rawValue)])
    case .thawed(let socket, let after):
      LogLine(
        .thawed, .info, "thawed after \(after.inWords)\(socket.map { ": a connection to \($0)" } ?? "")",
        [socket.map(LogField.socket), .duration(after)])
    case .cannotFreeze(let error): LogLine(.cannotFreeze, .warning, "cannot freeze: \(error)", [.error(error)])
    case .cannotThaw(let error): LogLine(.cannotThaw, .error, "cannot thaw, retrying: \(error)", [.error(error)])
    case .stopCancelled(let use):
      LogLine(.stopCancelled, .info, "stop cancelled: \(use ?? "a client came")")
    case .selfShutdown: LogLine(.selfShutdown, .info, "shutting down by itself; parking new clients")
    case .shutdownAborted(let last):
      LogLine(
        .shutdownAborted, .info,
        "shutdown aborted; new clients reach it again"
          + (last
            ? "; it seemed to shut down \(Retractions.limit) times, from now on only a certain report counts" : ""))
    case .cannotMonitorData(let error):
      LogLine(
        .cannotMonitorData, .warning,
        "cannot monitor open connections; not freezing while there are some: \(error)", [.error(error)])
    case .cannotReclaim(let error):
      LogLine(.cannotReclaim, .warning, "cannot reclaim memory (IdleReclaim=): \(error)", [.error(error)])
    case .cannotPark(let error): LogLine(.cannotPark, .warning, "cannot park new clients: \(error)", [.error(error)])
    case .cannotUnpark(let error):
      LogLine(.cannotUnpark, .warning, "cannot unpark clients, retrying: \(error)", [.error(error)])
    case .scopeStops:
      LogLine(.scopeStops, .info, "its scope is to stop (machinectl terminate, systemctl stop)")
    case .haltRequested(let signal, let cause):
      LogLine(
        .haltRequested, .info, "stopping\(cause == .request ? "" : ":") \(cause.words) (\(signal))",
        [.signal(signal), .cause(cause.rawValue)])
    case .haltUnheard(let signal):
      LogLine(
        .haltUnheard, .warning,
        "PID 1 has no handler for \(signal), and the kernel drops it: killing the guest; with ProcessTwo=yes it would stop cleanly",
        [.signal(signal)])
    case .killing(let setting, let after):
      LogLine(
        .killing, .warning, "still running after \(after.map { "\($0.inWords) (\(setting))" } ?? setting), killing",
        [.setting(setting), after.map(LogField.duration)])
    case .stopped(let how): LogLine(.stopped, .notice, "stopped (\(how))", [.result(how)])
    case .paused(let reason, let pause, let failures, let refusing):
      LogLine(
        .paused, .warning,
        "\(reason); pausing for \(pause.inWords)\(failures > 1 ? " after \(failures) failures in a row" : "")"
          + (refusing ? ", refusing clients meanwhile" : ""),
        [.reason(reason), .duration(pause), .failures(failures)])
    case .foundOrphan(let pid):
      LogLine(.foundOrphan, .warning, "found running as process \(pid), left by an earlier daemon", [.pid(pid)])
    case .cannotEnumerateOrphans(let error):
      LogLine(
        .cannotEnumerateOrphans, .error, "cannot enumerate running guests; startup is postponed: \(error)",
        [.error(error)])
    case .noTimer(let error):
      LogLine(.noTimer, .error, "cannot arm the timeout, treating it as expired: \(error)", [.error(error)])
    case .linesDropped(let count):
      LogLine(.linesDropped, .notice, "\(count) messages about it were dropped: too many at once", [.count(count)])

    case .notAdopted(let socket, let why):
      LogLine(
        .notAdopted, .warning, "nobody in the guest serves at \(socket), so clients are refused there: \(why)",
        [.socket(socket), .reason(UnservedReason(why).rawValue)])
    case .listenerClosed(let socket, let waiting, let why):
      LogLine(
        .listenerClosed, .error, "the guest closed \(socket) while \(waiting) waited there, so it is stopped: \(why)",
        [.socket(socket), .count(waiting), .reason(UnservedReason(why).rawValue)])
    case .repaired(let socket):
      LogLine(
        .repaired, .warning, "\(socket) had been shut down, or its path removed; listening again", [.socket(socket)])
    case .cannotScan(let error):
      LogLine(.cannotScan, .warning, "cannot tell whether anybody uses it: \(error)", [.error(error)])
    case .cannotConfine(let error):
      LogLine(
        .cannotConfine, .warning,
        "its sockets are a way from its own network to the host's, for whoever is root in it: \(error)",
        [.error(error)])
    case .guestReported(let error):
      LogLine(.guestReported, .warning, "PID 1 of the guest reports error \(error)", [.errno(error)])
    case .outOfMemory(let kills):
      LogLine(
        .outOfMemory, .warning,
        "out of memory: the kernel killed \(kills) of its processes (MemoryMax=, or the host has none left)",
        [.count(kills)])
    case .remark(let remark): remark.line

    case .problem(let diagnostic):
      LogLine(
        .problem, diagnostic.severity == .error ? .error : .warning, diagnostic.description,
        [
          .file(diagnostic.file), diagnostic.line == 0 ? nil : .line(diagnostic.line), .reason(diagnostic.message),
        ])
    case .noGuests(let searchPath):
      LogLine(
        .noGuests, .warning, "no guest file in \(searchPath.joined(separator: ", "))", searchPath.map(LogField.path))
    case .noSuchGuest(let name, let searchPath):
      LogLine(
        .noSuchGuest, .error,
        "no file \(name).guest in \(searchPath.joined(separator: ", ")): write one, or name its directory with --config",
        [.guest(name)] + searchPath.map(LogField.path))
    case .notPassed(let socket):
      LogLine(
        .notPassed, .warning, "the service manager passed sockets, but not \(socket): binding it", [.socket(socket)])
    case .notWanted(let name, let address):
      LogLine(
        .notWanted, .warning,
        "closing \(address) (named \(name)), which the service manager passed: no guest file has this address",
        [.descriptor(name), .socket(address)])
    case .cannotStore(let error):
      LogLine(
        .cannotStore, .warning, "cannot update the service manager's store of sockets: \(error)", [.error(error)])
    case .cannotTakeSocket(let name, let error):
      LogLine(
        .cannotTakeSocket, .error, "cannot use the socket named \(name): \(error)",
        [.descriptor(name), .error(error)])
    case .cannotTakeStored(let name, let reason):
      LogLine(
        .cannotTakeStored, .error, "ignoring \(name) from the service manager's store: \(reason)",
        [.descriptor(name), .reason(reason)])
    case .added: LogLine(.added, .info, "guest file added")
    case .removed: LogLine(.removed, .info, "guest file removed")
    case .changed(let later):
      LogLine(
        .changed, .info, later ? "guest file changed, in force from the next start on" : "guest file changed",
        [.isDeferred(later)])
    case .listening(let path): LogLine(.listening, .info, "control socket at \(path)", [.path(path)])
    case .noControllers(let reason):
      LogLine(.noControllers, .info, "no resource controllers for guests: \(reason)", [.reason(reason)])
    case .reloading: LogLine(.reloading, .info, "reloading the guest files")
    case .ending: LogLine(.ending, .info, "exiting, stopping all guests")
    case .endingNow: LogLine(.endingNow, .notice, "second signal, killing all guests")
    case .endingAsleep:
      LogLine(.endingAsleep, .info, "all guests asleep, exiting; systemd keeps the sockets")
    case .signalIgnored(let pid, let unit):
      LogLine(
        .signalIgnored, .notice,
        "ignoring the signal of process \(pid) of \(unit), which does not tell dormoused to exit",
        [.pid(pid), .unit(unit)])
    case .cannotRun(let error): LogLine(.cannotRun, .error, "cannot run: \(error)", [.error(error)])
    }
  }

  private static func asleep(_ sockets: [String], _ passed: Bool) -> String {
    if sockets.isEmpty { return "asleep; it has no sockets, only `dormouse wake` wakes it" }
    return "asleep; listening on \(sockets.joined(separator: ", "))\(passed ? " (passed by the service manager)" : "")"
  }
}
