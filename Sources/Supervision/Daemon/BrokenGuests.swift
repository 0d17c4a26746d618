import ControlProtocol
import GuestFiles
import UnitSyntax

/// The guests whose files have an error, as they were read last. They are not managed; one that was before goes on with its old files.
struct BrokenGuests {
  private var guests: [String: LoadedGuest] = [:]
  private let since = Timestamp.now

  init(_ loaded: [LoadedGuest] = []) {
    for guest in loaded where guest.hasErrors { guests[guest.name] = guest }
  }

  var names: [String] { guests.keys.sorted() }

  /// Of a guest, its first error with its place, and how many there are besides; nil when it is not one of these.
  func error(of name: String) -> String? {
    guard let errors = guests[name]?.diagnostics.filter({ $0.severity == .error }), let first = errors.first else {
      return nil
    }
    return "\(first)" + (errors.count == 1 ? "" : " (and \(errors.count - 1) more; see `dormouse check`)")
  }

  /// All of them, for whoever asked for a reload; nil when there are none.
  var errors: String? {
    let errors = names.compactMap { error(of: $0) }
    return errors.isEmpty ? nil : errors.joined(separator: "; ")
  }

  /// For the status of the daemon's unit.
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

/// None of the guests that a daemon was started for can be managed, whatever happens.
struct NothingToManage: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
