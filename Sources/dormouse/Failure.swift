import ArgumentParser
import ControlProtocol
import Glibc
import Linux

/// Why a verb could not do what it was asked: each with its exit status and words that name the remedy.
enum Failure: Error, CustomStringConvertible {
  case noDaemon(paths: [String])
  case notAllowed(path: String)
  case system(SystemError)
  /// The daemon closed the connection instead of answering.
  case hungUp(path: String)
  case refused(ManagerError)
  /// Only of a guest that runs there is anything to see.
  case notRunning(name: String)
  /// A signal told this process to end.
  case interrupted
  case unexpected(UnexpectedReply)

  static let otherReply = Failure.unexpected(.malformed)

  var exitStatus: Int32 {
    switch self {
    case .system, .hungUp, .refused, .notRunning, .interrupted: EXIT_FAILURE
    case .noDaemon: EX_UNAVAILABLE
    case .unexpected: EX_PROTOCOL
    case .notAllowed: EX_NOPERM
    }
  }

  var description: String {
    switch self {
    case .noDaemon(let paths):
      "no daemon answers at \(paths.joined(separator: " or ")): start dormoused, or name its --runtime"
    case .notAllowed(let path): "\(path): only the user that runs dormoused may ask it; try with sudo"
    case .system(let error): "\(error)"
    case .hungUp(let path): "the daemon at \(path) ended before it answered; its log says why"
    case .notRunning(let name): "\(name) does not run; `dormouse wake \(name)` starts it"
    case .interrupted: "a signal ended it"
    case .refused(let error):
      switch error {
      case .wakeFailed(let name, _): "\(error); `dormouse status --console \(name)` may show more"
      case .sleepFailed(let name, _): "\(error); `dormouse why \(name)` may show more, and --now stops it in any case"
      case .noSuchGuest, .freezeFailed, .consoleFailed, .tooManySubscribers, .subscriberTooSlow: "\(error)"
      }
    case .unexpected(let error): "\(error); restart dormoused after an update"
    }
  }
}

/// Runs a verb; what fails is said on stderr, and becomes the exit status.
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
