import ArgumentParser
import ControlProtocol
import Glibc
import Linux

/// Why a verb failed, with its exit status and a message that names the remedy.
enum Failure: Error, CustomStringConvertible {
  /// Nothing listens at any of the control sockets.
  case noDaemon(paths: [String])
  /// The guest is asleep and systemd holds its socket, so no daemon runs that could be asked.
  case asleepUnderSystemd(PairedGuest)
  /// The service manager did not start a unit.
  case notStarted(unit: String)
  /// The user may not connect to the control socket.
  case notAllowed(path: String)
  /// A system call failed.
  case system(SystemError)
  /// The daemon closed the connection before it replied.
  case hungUp(path: String)
  /// The daemon replied with an error.
  case refused(ManagerError)
  /// The verb needs a running guest.
  case notRunning(name: String)
  /// A signal ended the session.
  case interrupted
  /// The reply of the daemon is not one to the call.
  case unexpected(UnexpectedReply)

  static let otherReply = Failure.unexpected(.malformed)

  var exitStatus: Int32 {
    switch self {
    case .system, .hungUp, .refused, .notRunning, .interrupted, .asleepUnderSystemd, .notStarted: EXIT_FAILURE
    case .noDaemon: EX_UNAVAILABLE
    case .unexpected: EX_PROTOCOL
    case .notAllowed: EX_NOPERM
    }
  }

  var description: String {
    switch self {
    case .noDaemon(let paths):
      "no daemon listens at \(paths.joined(separator: " or ")); start dormoused, or set --runtime"
    case .asleepUnderSystemd(let guest): "\(guest.name) is \(guest.note); `dormouse wake \(guest.name)` starts it"
    case .notStarted(let unit): "systemd did not start \(unit); see systemctl status \(unit)"
    case .notAllowed(let path): "\(path): permission denied; only the user of dormoused may connect, try sudo"
    case .system(let error): "\(error)"
    case .hungUp(let path): "the daemon at \(path) closed the connection before it replied; see its log"
    case .notRunning(let name): "\(name) is not running; `dormouse wake \(name)` starts it"
    case .interrupted: "interrupted by a signal"
    case .refused(let error):
      switch error {
      case .wakeFailed(let name, _): "\(error); `dormouse status --console \(name)` may show more"
      case .sleepFailed(let name, _): "\(error); `dormouse why \(name)` may show more, and --now stops it anyway"
      case .noSuchGuest, .badSetting, .reloadFailed, .freezeFailed, .consoleFailed, .tooManySubscribers,
        .tooManyWaiting, .subscriberTooSlow:
        "\(error)"
      }
    case .unexpected(let error): "\(error); restart dormoused after an update"
    }
  }
}

/// Runs a verb. A failure is printed on stderr and sets the exit status.
func reportingFailure(_ body: () throws(Failure) -> Void) throws {
  do throws(Failure) {
    try body()
  } catch {
    complain("dormouse: \(plainText("\(error)"))\n")
    throw ExitCode(error.exitStatus)
  }
}

/// Writes to stderr.
func complain(_ text: String) {
  let bytes = Array(text.utf8)
  _ = write(STDERR_FILENO, bytes, bytes.count)
}
