import ControlProtocol
import GuestFiles
import UnitSyntax

/// The guests whose files had an error when they were last read, and the errors of files that belong to no guest. Such guests are not
/// managed, but a guest that was managed before keeps the settings of its old files, and so does the daemon.
struct BrokenGuests {
  private var guests: [String: LoadedGuest] = [:]
  /// The errors of `dormoused.conf` and of directories.
  private let others: [Diagnostic]
  private let since = Timestamp.now

  init(_ loaded: [LoadedGuest] = [], others: [Diagnostic] = []) {
    self.others = others.filter { $0.severity == .error }
    for guest in loaded where guest.hasErrors { guests[guest.name] = guest }
  }

  var names: [String] { guests.keys.sorted() }

  /// A guest's first error, with its file and line, and the number of its other errors. Nil if its files have no error.
  func error(of name: String) -> String? {
    Self.words(guests[name]?.diagnostics.filter { $0.severity == .error } ?? [])
  }

  private static func words(_ errors: [Diagnostic]) -> String? {
    guard let first = errors.first else { return nil }
    return "\(first)" + (errors.count == 1 ? "" : " (and \(errors.count - 1) more; see `dormouse check`)")
  }

  /// The errors of all guests; nil when there are none.
  var guestErrors: String? {
    let errors = names.compactMap { error(of: $0) }
    return errors.isEmpty ? nil : errors.joined(separator: "; ")
  }

  /// All errors, for the reply to a reload; nil when there are none.
  var errors: String? {
    let errors = [Self.words(others), guestErrors].compactMap(\.self)
    return errors.isEmpty ? nil : errors.joined(separator: "; ")
  }

  /// A part of the text that `systemctl status` shows for the daemon (`STATUS=`).
  var words: [String] { errors.map { ["not in force: \($0)"] } ?? [] }

  func summary(of name: String) -> GuestSummary? {
    error(of: name).map { error in
      var summary = GuestSummary(name: name, state: .badSetting, since: since)
      summary.note = error
      return summary
    }
  }

  func status(of name: String) -> GuestStatus? {
    guests[name].map { guest in
      var status = GuestStatus(name: name, state: .badSetting, since: since, files: guest.files)
      status.messages = guest.diagnostics.map {
        GuestMessage(at: since, level: $0.severity == .error ? .error : .warning, text: "\($0)")
      }
      return status
    }
  }

  func explanation(of name: String) -> GuestExplanation? {
    error(of: name).map { error in
      var explanation = GuestExplanation(name: name, state: .badSetting, since: since)
      explanation.reasons = [error]
      return explanation
    }
  }
}

/// None of the guests that the daemon was started for can be managed, and nothing but a change of their files will mend that.
struct NothingToManage: Error, CustomStringConvertible {
  let description: String

  /// `errors` are those of the files of these guests; nil when there are no such files.
  init(_ errors: String?, _ arguments: DaemonArguments) {
    let directories = arguments.guestFiles.searchPath.joined(separator: ", ")
    let names = arguments.guests.joined(separator: ".guest, ")
    description = errors ?? "there is no file \(names).guest in \(directories)"
  }
}
